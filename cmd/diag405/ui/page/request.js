// The view of one request: the form, the way of the path, the verdict and the routes.

import { $, ask, badge, code, copying, el, picture, plural, say, show } from "./dom.js";

let page;
let asked = null; // the question that is shown
let turn = 0; // how many answers were waited for; one that is overtaken is not shown
export let outcome = ""; // what is shown, in a sentence
let before = null; // what it came to without the page's changes

export function start(p) {
  page = p;
  show($("consumers"), (p.about.configuration?.consumers || []).map((name) => el("option", { value: name })));
  $("ask").elements.target.addEventListener("paste", pasteCommand);
  $("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    asked = question();
    before = null;
    answer(true);
  });
}

// pasteCommand joins the lines of a command, which a field of one line would glue
// together.
function pasteCommand(event) {
  const text = event.clipboardData.getData("text");
  if (!/^\s*([$#>]\s+)?curl\s/.test(text) || !text.includes("\n")) return;
  event.preventDefault();
  event.target.value = text.trim().replace(/\\?\r?\n\s*/g, " ");
}

// fill asks about a request from elsewhere, such as the log.
export function fill(values) {
  const form = $("ask");
  for (const name of ["method", "target", "host", "scheme", "headers"]) {
    if (values[name] !== undefined) form.elements[name].value = values[name];
  }
  form.elements.status.value = "0";
  page.open("request");
  form.requestSubmit();
}

// changed shows the request again, after a change in the page's copy.
export async function changed() {
  return asked === null || answer(false);
}

const lines = (text) => text.split("\n").map((s) => s.trim()).filter(Boolean);

function question() {
  const f = $("ask").elements;
  const status = Number(f.status.value);
  return {
    method: f.method.value.trim().toUpperCase(), target: f.target.value.trim(), host: f.host.value.trim(),
    scheme: f.scheme.value, consumer: f.consumer.value.trim(), headers: lines(f.headers.value),
    status, allow: status && f.allow.value.trim() ? f.allow.value.trim() : null,
    answer_headers: status ? lines(f.answer_headers.value) : [],
  };
}

// answer asks, shows, and tells whether there was an answer.
async function answer(focus) {
  $("ask-problem").textContent = "";
  $("result").setAttribute("aria-busy", "true");
  const changes = page.changes();
  const mine = ++turn;
  try {
    if (changes.length > 0 && before === null) before = await ask("explain", { ...asked, changes: [] });
    const now = await ask("explain", { ...asked, changes });
    if (mine !== turn) return true;
    if (changes.length === 0) before = now;
    render(now, changes.length > 0);
    outcome = summary(now.explanation);
    if (focus) {
      $("result").focus({ preventScroll: true });
      say(outcome);
    }
    return true;
  } catch (e) {
    if (mine !== turn) return true;
    $("ask-problem").textContent = e.message;
    return false;
  } finally {
    if (mine === turn) $("result").removeAttribute("aria-busy");
  }
}

// end is what a request comes to, in a few words.
function end(e) {
  if (e.answer) return `${e.answer.by} answers${e.answer.status ? " " + e.answer.status : ""}`;
  return e.upstream ? `${e.upstream.method} ${e.upstream.uri}` : "nothing";
}

function summary(e) {
  const v = e.diagnosis || e.if_405;
  return (e.answer ? `${end(e)}: ${e.answer.words}.` : `The upstream gets ${end(e)}.`) + (v ? ` ${v.reason}.` : "");
}

function render(now, isChanged) {
  const e = now.explanation;
  show($("result"),
    el("div", { class: isChanged ? "pair changed" : "pair" }, way(now),
      el("div", { class: "stack" }, isChanged && comparison(before.explanation, e, now.differences), verdict(e))),
    routes(now.routes));
}

// comparison holds the request against what it came to before.
function comparison(old, e, differences) {
  const side = (title, x) => {
    const [kind, words] = outlook(x);
    return [el("dt", {}, title), el("dd", {}, el("span", { class: "end" }, code(end(x))), badge(kind, words))];
  };
  return el("section", { class: "card compare", id: "comparison" },
    el("h2", {}, "With the change"),
    el("dl", { class: "sides" }, side("Before", old), side("Now", e)),
    (differences || []).flat().map((d) => el("figure", { class: "diff" },
      el("figcaption", {}, d.file ? `${d.file}:${d.line}` : `line ${d.line}`),
      el("pre", {}, d.before && el("span", { class: "same" }, "  " + d.before + "\n"),
        (d.removed || []).map((l) => el("del", {}, "- " + l + "\n")),
        (d.added || []).map((l) => el("ins", {}, "+ " + l + "\n"))))));
}

// outlook is what is to be expected of a request, as a colour and a few words.
function outlook(e) {
  if (e.diagnosis) return ["bad", `${e.diagnosis.cause}, ${e.diagnosis.certainty}`];
  if (e.if_405) return ["warn", `a 405 would be ${e.if_405.cause}, ${e.if_405.certainty}`];
  if (e.answer) return ["bad", "it does not get to the upstream"];
  if (e.if_405_possible) return ["plain", "a 405 would most likely be the application's word"];
  return ["good", "nothing on the way explains a 405"];
}

// way is the picture, and what else happens to the request.
function way(now) {
  const e = now.explanation;
  const row = (head, ...cells) => [el("dt", {}, head), el("dd", {}, cells)];
  return el("section", { class: "card way", id: "way" },
    el("h2", {}, "The way of the path"),
    el("div", { class: "picture", id: "picture" }, picture(now.picture)),
    el("dl", {},
      e.route && row("route", name(e.route), (e.matched_by || []).map((r) => el("span", { class: "why" }, r.words))),
      e.service && row("service", name(e.service)),
      (e.plugins || []).map((p) => row("plugin", code(p.name), ` on ${p.on} ${p.words}`)),
      e.upstream && row("upstream", code(`${e.upstream.method} ${e.upstream.scheme}://${e.upstream.address}${e.upstream.uri}`),
        el("span", { class: "why" }, `Host: ${e.upstream.host}`)),
      e.answer && e.diagnosis && row("answer", `${e.answer.status ? e.answer.status + " " : ""}by ${e.answer.by}: ${e.answer.words}`),
      (e.upstream?.uncertain || []).map((words) => row("unsure", words)),
      (e.watch || []).map((words) => row("watch", words))));
}

const name = (entity) => code(entity.name || entity.id);

// verdict is what the 405 is due to, or would be.
function verdict(e) {
  const card = (kind, ...children) => el("section", { class: `card verdict ${kind}`, id: "verdict" }, children);
  if (e.diagnosis) return card("bad", el("h2", {}, `Why ${statusOf(e.diagnosis)}`), ...judged(e, e.diagnosis));
  if (e.if_405) {
    const allow = e.if_405.allow;
    return card("warn", el("h2", {}, allow ? ["If it gets 405 with Allow: ", code(allow)] : "If it gets 405"), ...judged(e, e.if_405));
  }
  if (e.answer) {
    return card("bad", el("h2", {}, e.answer.status ? `${e.answer.by} answers ${e.answer.status}` : `${e.answer.by} answers`),
      el("p", { class: "reason" }, e.answer.words));
  }
  if (!e.upstream) return null;
  const line = code(`${e.upstream.method} ${e.upstream.uri}`);
  if (!e.if_405_possible) {
    return card("good", el("h2", {}, "If it gets 405"),
      el("p", { class: "reason" }, "Nothing on the way through Kong explains one: it would be the application’s word on ", line, "."));
  }
  return card("plain", el("h2", {}, "If it gets 405"),
    el("p", { class: "reason" }, "It would most likely be the application’s word on ", line, "."),
    el("p", {}, "Or, less likely:"), others(e.if_405_possible));
}

const statusOf = () => (asked.status ? String(asked.status) : "405");

const others = (list) => el("ul", { class: "others" }, list.map((o) => el("li", {}, code(o.cause), ` ${o.reason}`)));

function judged(e, v) {
  return [
    el("p", { class: "cause" }, badge(e.diagnosis ? "bad" : "warn", v.cause), " ", badge("plain", v.certainty)),
    el("p", { class: "reason" }, v.reason),
    v.facts && el("ul", { class: "facts" }, v.facts.map((f) => el("li", {}, f))),
    v.fixes && el("h3", {}, v.fixes.length > 1 ? "Fixes, the best first" : "Fix"),
    (v.fixes || []).map((f) => fix(e, f)),
    v.considered && el("details", {}, el("summary", {}, `Also looked at: ${plural(v.considered.length, "cause")}`), others(v.considered)),
  ];
}

function fix(e, f) {
  const tried = f.set && page.changes().some((c) => JSON.stringify(c.set) === JSON.stringify(f.set));
  return el("div", { class: "fix" },
    el("p", {}, f.words),
    el("p", { class: "do" },
      f.set && e.route && !tried && el("button", { type: "button", class: "go try", onclick: () => page.apply(changeOf(e, f), withoutEnd(f.words)) }, "Try it in this page"),
      f.client && el("button", { type: "button", class: "go try", onclick: () => askSo(f.client) }, "Ask so"),
      f.at && el("span", { class: "why" }, f.at.join(", "))),
    f.forms && el("details", {}, el("summary", {}, "How to set it"), f.forms.map(form)));
}

// withoutEnd is a fix without the request that comes of it.
const withoutEnd = (words) => words.split("; the upstream then gets")[0];

const formNames = { declarative: "In the file", admin_api: "Admin API", kubernetes: "Kubernetes", post_config: "Admin API, without a database" };

function form(f) {
  return el("figure", { class: "form" }, el("figcaption", {}, formNames[f.name] || f.name, copying(f.text)), el("pre", {}, f.text));
}

function changeOf(e, f) {
  return {
    route_id: e.route.id, route_name: e.route.name, service_id: e.service?.id, service_name: e.service?.name, set: f.set,
  };
}

// askSo asks as the fix says that the client should.
function askSo(client) {
  const f = $("ask").elements;
  if (client.path) f.target.value = client.path;
  if (client.method) f.method.value = client.method;
  if (client.headers) {
    const named = Object.keys(client.headers).map((n) => n.toLowerCase() + ":");
    const kept = lines(f.headers.value).filter((l) => !named.some((n) => l.toLowerCase().startsWith(n)));
    f.headers.value = [...kept, ...Object.entries(client.headers).map(([n, v]) => `${n}: ${v}`)].join("\n");
  }
  f.status.value = "0";
  $("ask").requestSubmit();
}

const verdicts = { takes: ["good", "takes it"], behind: ["warn", "would, too"], no: ["plain", "does not"] };

// routes are those that Kong tries, in its order.
function routes(r) {
  if (r.total === 0) return null;
  const left = r.total - r.shown.length;
  let last = 0;
  const rows = [];
  for (const one of r.shown) {
    if (left > 0 && one.turn > last + 1) rows.push(el("li", { class: "gap" }, `${plural(one.turn - last - 1, "route")} that ${one.turn - last === 2 ? "is" : "are"} further from it`));
    rows.push(tried(one));
    last = one.turn;
  }
  if (left > 0 && last < r.total) rows.push(el("li", { class: "gap" }, `${plural(r.total - last, "route")} that ${r.total - last === 1 ? "is" : "are"} further from it`));
  return el("section", { class: "card", id: "routes" },
    el("h2", {}, "The routes, in the order in which Kong tries them"),
    left > 0 && el("p", { class: "why" }, `The nearest ${r.shown.length} of ${r.total.toLocaleString("en")} are shown.`),
    el("ol", { class: "tried" }, rows));
}

function tried(r) {
  const [kind, words] = verdicts[r.verdict];
  const because = r.verdict === "behind" ? [r.behind] : (r.verdict === "takes" ? r.held : r.failed || []).map((a) => a.words);
  const has = (list, attribute) => (list || []).some((a) => a.attribute === attribute);
  // mark says of an attribute's values whether the request has one of them.
  const mark = (attribute) => (has(r.failed, attribute) ? ["bad", "✗"] : has(r.held, attribute) ? ["good", "✓"] : ["plain", ""]);
  const values = (attribute, list) => list?.length && el("span", { class: `values ${mark(attribute)[0]}` },
    el("span", { class: "sign", "aria-hidden": "true" }, mark(attribute)[1]), list.map(code));
  return el("li", { class: `route ${r.verdict}`, value: r.turn },
    el("span", { class: "turn" }, String(r.turn)),
    el("div", { class: "what" },
      el("div", { class: "attributes" }, el("p", {}, el("strong", {}, r.name), " ", badge(kind, words)),
        values("method", r.methods), values("host", r.hosts), values("path", r.paths), values("expression", r.expression && [r.expression])),
      el("ul", { class: "because" }, (because || []).map((b) => el("li", {}, b)))));
}
