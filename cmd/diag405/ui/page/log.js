// The view of the log: what went wrong, grouped, as it comes.

import { $, arrange, badge, code, el, plural, say, show } from "./dom.js";

let page;
let events;
const seen = new Map(); // how often a group had occurred when it was last shown
const cards = new Map(); // what is shown of each group

export function start(p) {
  page = p;
  if (!p.about.log) return;
  follow();
  // A browser keeps few connections to one address, so a tab that nobody looks at has none.
  document.addEventListener("visibilitychange", () => (document.hidden ? events?.close() : follow()));
}

function follow() {
  events?.close();
  $("log-state").textContent = "Connecting …";
  events = new EventSource("log");
  events.onmessage = (event) => render(JSON.parse(event.data));
  events.onerror = () => {
    $("log-state").textContent = events.readyState === EventSource.CLOSED ? "The log is not followed any more." : "diag405 ui does not answer; it is tried again.";
    $("log-state").className = "state off";
  };
}

function render(c) {
  const state = $("log-state");
  state.className = c.problem ? "state off" : "state on";
  show(state, el("span", { class: "dot", "aria-hidden": "true" }), c.problem ? "Stopped at " : "Following ", page.about.log.map((f) => code(f)),
    ` ${plural(c.lines, "line")}, ${c.diagnoses === 1 ? "1 diagnosis" : c.diagnoses.toLocaleString("en") + " diagnoses"}`);
  $("log-problem").textContent = c.problem || "";
  const count = $("count-log");
  count.hidden = c.diagnoses === 0;
  count.textContent = c.diagnoses.toLocaleString("en");
  show($("causes"), el("p", { class: "chips" }, (c.causes || []).map((x) => badge("plain", `${x.cause} ${x.count.toLocaleString("en")}`))));
  const first = seen.size === 0;
  const shown = c.groups.map((g) => card(g, first));
  if (shown.length === 0) shown.push(el("li", { class: "card none" }, "No 405 yet. What diag405 writes into the log shows here as it comes."));
  if (c.total > c.groups.length) shown.push(el("li", { class: "gap" }, `${plural(c.total - c.groups.length, "group")} more; diag405 report has them all`));
  arrange($("groups"), shown);
  const fresh = c.groups.filter((g) => !seen.has(g.key));
  if (!first && fresh.length) say(`New in the log: ${fresh.map((g) => `${g.cause}, ${g.example}`).join("; ")}`);
  for (const g of c.groups) seen.set(g.key, g.count);
}

// card is a group as it is shown, the same element while nothing of it changes.
function card(g, first) {
  const text = JSON.stringify(g);
  if (cards.get(g.key)?.text !== text) cards.set(g.key, { text, element: group(g, first) });
  return cards.get(g.key).element;
}

function group(g, first) {
  const isNews = !first && seen.get(g.key) !== g.count;
  const when = g.first === g.last ? g.last : `${g.first} to ${g.last}`;
  return el("li", { class: `card group${isNews ? " news" : ""}`, "data-cause": g.cause },
    el("p", { class: "times" }, el("strong", {}, `${g.count.toLocaleString("en")}×`), " ", badge("bad", g.cause), " ", badge("plain", g.certainty),
      g.route && el("span", {}, " route ", code(g.route)), g.last && el("span", { class: "why" }, " " + when)),
    el("p", { class: "fromto" }, code(g.example), el("span", { class: "to" }, " → "), code(g.upstream)),
    el("p", { class: "reason" }, g.reason),
    el("p", { class: "do" }, el("span", {}, "Fix: ", g.fix),
      page.about.configuration && requestOf(g.example) && el("button", { type: "button", class: "small", onclick: () => page.ask(requestOf(g.example)) }, "Explain this request")));
}

// requestOf is a client's request, as the log has it, for the form. The path stays as
// the client sent it: a URL object would tidy it up.
function requestOf(example) {
  const [, method, scheme, host, target] = /^(\S+) (?:(https?):\/\/([^/]+))?(\/\S*)$/.exec(example || "") || [];
  return method && { method, target, host: host || "", scheme: scheme === "https" ? "https" : "", headers: "" };
}
