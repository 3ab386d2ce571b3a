// The view of the files, with lint's findings at their lines.

import { $, ask, badge, code, el, plural, show } from "./dom.js";

let page;

export function start(p) {
  page = p;
  if (p.about.configuration) changed();
}

const kinds = { error: "bad", warning: "warn", info: "plain" };

// changed shows the findings again, and tells whether that went well.
export async function changed() {
  $("findings-problem").textContent = "";
  try {
    render(await ask("lint", { changes: page.changes() }));
    return true;
  } catch (e) {
    $("findings-problem").textContent = e.message;
    return false;
  }
}

function render(r) {
  const count = $("count-findings");
  count.hidden = false;
  count.textContent = r.total;
  count.className = `count ${r.total ? kinds[r.findings[0].severity] : "good"}`;
  show($("found"), overview(r),
    r.findings.filter((f) => !f.line).map(finding),
    r.files.filter((f) => f.parts?.length).map((f) => file(f, r.findings.filter((x) => x.line && x.file === f.name))));
}

// overview is the list of what was found, each a way to its line.
function overview(r) {
  return el("section", { class: "card" },
    el("h2", {}, r.total ? plural(r.total, "finding") : "Nothing found"),
    r.total > r.findings.length && el("p", { class: "why" }, `The gravest ${r.findings.length} are shown.`),
    el("ol", { class: "overview" }, r.findings.map((f) => el("li", {}, badge(kinds[f.severity], f.severity),
      el("a", { href: "#" + idOf(f), onclick: (event) => { event.preventDefault(); go(f); } }, el("strong", {}, f.id), ` ${objectOf(f)}`),
      f.line && el("span", { class: "why" }, `line ${f.line}`)))),
    (r.notes || []).map((n) => el("p", { class: "why" }, `${n.at}: ${n.words}`)));
}

const objectOf = (f) => `${f.object.kind} ${f.object.name || f.object.id || ""}`;

// idOf names a finding's place in the page.
const idOf = (f) => "finding-" + encodeURIComponent([f.id, f.object.kind, f.object.id || f.object.name].join("-"));

function go(f) {
  const at = document.getElementById(idOf(f));
  at.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  at.focus({ preventScroll: true });
}

function finding(f) {
  return el("div", { class: `finding ${kinds[f.severity]}`, id: idOf(f), tabindex: "-1" },
    el("p", {}, badge(kinds[f.severity], f.severity), " ", el("strong", {}, f.id), ` ${objectOf(f)}`),
    el("p", {}, f.sentence),
    el("p", { class: "do" }, el("span", {}, "Fix: ", f.fix.words),
      f.change && el("button", { type: "button", class: "try small", onclick: () => page.apply(f.change, `${f.fix.words} (${objectOf(f)})`) }, "Try it in this page")));
}

// file is a file's lines, each with what was found at it.
function file(f, findings) {
  const at = Map.groupBy ? Map.groupBy(findings, (x) => x.line) : grouped(findings);
  let last = 0;
  const rows = [];
  for (const p of f.parts) {
    if (p.first > last + 1) rows.push(el("div", { class: "gap" }, plural(p.first - last - 1, "line")));
    p.lines.forEach((text, i) => rows.push(line(p.first + i, text, at.get(p.first + i), p.changed?.includes(p.first + i))));
    last = p.first + p.lines.length - 1;
  }
  if (last < f.lines) rows.push(el("div", { class: "gap" }, plural(f.lines - last, "line")));
  return el("section", { class: "card file" }, el("h2", {}, code(f.name || page.about.configuration.name)), el("div", { class: "lines" }, rows));
}

function grouped(findings) {
  const at = new Map();
  for (const f of findings) at.set(f.line, [...(at.get(f.line) || []), f]);
  return at;
}

function line(n, text, findings, isNew) {
  const worst = findings && kinds[findings[0].severity];
  return [
    el("div", { class: `ln${worst ? " at " + worst : ""}${isNew ? " new" : ""}`, "data-line": n },
      el("span", { class: "nr" }, String(n)), el("span", { class: "text" }, text || " ")),
    findings && findings.map(finding),
  ];
}
