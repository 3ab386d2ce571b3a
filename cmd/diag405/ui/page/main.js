// The page's state: which view is shown, and what the page has changed in its copy of
// the configuration.

import { $, ask, code, el, plural, say, show } from "./dom.js";
import * as findings from "./lint.js";
import * as log from "./log.js";
import * as request from "./request.js";

history.replaceState(null, "", "/" + location.hash); // the token is in a cookie now

// changes are laid on the page's copy, one after the other; a reload forgets them.
const changes = [];
const views = { request, findings, log };

const page = {
  about: {},
  changes: () => changes.map((c) => c.change),
  // apply lays a change on the copy, and has everything shown again.
  async apply(change, words) {
    if (changes.some((c) => JSON.stringify(c.change) === JSON.stringify(change))) return;
    changes.push({ change, words });
    if (!(await changed())) {
      changes.pop();
      showChanges();
      document.querySelector(".problem:not(:empty)")?.scrollIntoView({ block: "nearest" });
      return;
    }
    say(`In this page: ${words}. ${request.outcome}`);
  },
  open(view) { location.hash = view; },
  ask: request.fill,
};

// changed shows everything again, and tells whether the change could be made.
async function changed() {
  showChanges();
  const [asked, linted] = await Promise.all([request.changed(), findings.changed()]);
  return asked && linted;
}

function showChanges() {
  const bar = $("changes");
  bar.hidden = changes.length === 0;
  show(bar,
    el("p", {}, el("strong", {}, "Changed in this page only. "), "Neither the file nor Kong is touched."),
    el("ul", {}, changes.map((c, i) => el("li", {}, el("span", {}, c.words),
      el("button", { type: "button", class: "quiet small", "aria-label": `Undo: ${c.words}`, onclick: () => undo(i) }, "Undo")))));
}

async function undo(i) {
  const [gone] = changes.splice(i, 1);
  await changed();
  say(`Undone: ${gone.words}. ${request.outcome}`);
}

function showSource() {
  const c = page.about.configuration;
  show($("source"), c
    ? [code(c.name), ` ${c.kong?.version ? `Kong ${c.kong.version}, ` : ""}${c.flavor}, ${plural(c.routes, "route")}, ${plural(c.services, "service")}`]
    : ["no configuration"]);
  $("read").hidden = !c;
  for (const name of ["request", "findings"]) $(`tab-${name}`).hidden = !c;
  $("tab-log").hidden = !page.about.log;
}

async function readAgain() {
  const button = $("read");
  button.disabled = true;
  try {
    page.about = await ask("read", {});
    showSource();
    await changed();
    say("The configuration was read again.");
  } catch (e) {
    showSource();
    $("source").append(el("span", { class: "problem", role: "alert" }, " " + e.message));
  }
  button.disabled = false;
}

function route() {
  const first = page.about.configuration ? "request" : "log";
  const wanted = location.hash.slice(1);
  const name = views[wanted] && !$(`tab-${wanted}`).hidden ? wanted : first;
  for (const view of Object.keys(views)) {
    $(`view-${view}`).hidden = view !== name;
    if (view === name) $(`tab-${view}`).setAttribute("aria-current", "page");
    else $(`tab-${view}`).removeAttribute("aria-current");
  }
}

async function start() {
  try {
    page.about = await ask("about");
  } catch (e) {
    show($("source"), el("span", { class: "problem", role: "alert" }, e.message));
    return;
  }
  showSource();
  for (const view of Object.values(views)) view.start(page);
  addEventListener("hashchange", route);
  $("read").addEventListener("click", readAgain);
  route();
}

start();
