// What the views share: elements, questions to diag405, and what is said aloud.

// el makes an element. Text stays text, whatever stands in it: nothing here makes
// markup out of a string.
export function el(tag, props = {}, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) e.addEventListener(name.slice(2), value);
    else if (name === "class") e.className = value;
    else e.setAttribute(name, value === true ? "" : value);
  }
  e.append(...children.flat(9).filter((c) => c !== null && c !== undefined && c !== false && c !== ""));
  return e;
}

export const $ = (id) => document.getElementById(id);

export function show(e, ...children) {
  e.replaceChildren(...children.flat(9).filter(Boolean));
}

// arrange makes nodes the children of an element, and leaves those alone that are in
// their place: what has the focus keeps it.
export function arrange(parent, nodes) {
  nodes.forEach((node, i) => {
    if (parent.children[i] !== node) parent.insertBefore(node, parent.children[i] || null);
  });
  while (parent.children.length > nodes.length) parent.lastElementChild.remove();
}

// The picture is the one thing that comes as markup. diag405 draws it, and escapes in
// it what came from elsewhere; the page's policy lets no script in it run.
const policy = window.trustedTypes?.createPolicy("picture", { createHTML: (s) => s });

export function picture(svg) {
  const doc = new DOMParser().parseFromString(policy ? policy.createHTML(svg) : svg, "image/svg+xml");
  const image = document.importNode(doc.documentElement, true);
  image.setAttribute("width", 1.2 * image.getAttribute("width")); // the height follows
  image.removeAttribute("height");
  return image;
}

// ask sends a question, and returns the answer; what cannot be answered is an Error
// for people.
export async function ask(path, question) {
  let response;
  try {
    response = await fetch(path, question === undefined ? {} : {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(question),
    });
  } catch {
    throw new Error("diag405 ui does not answer; has it ended?");
  }
  const text = await response.text();
  let answer;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new Error(text.trim() || `diag405 ui answered ${response.status}`);
  }
  if (!response.ok) throw new Error(answer.error || `diag405 ui answered ${response.status}`);
  return answer;
}

// say tells what happened to who does not see the page.
export function say(words) {
  $("said").textContent = "";
  setTimeout(() => { $("said").textContent = words; }, 50);
}

export const plural = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;

// code is text as it is written in files and requests.
export const code = (text) => el("code", {}, text);

// badge is a word in a colour of its own; kind is bad, warn, good or plain.
export const badge = (kind, text) => el("span", { class: `badge ${kind}` }, text);

// copying is a button that copies a text.
export function copying(text) {
  const button = el("button", { type: "button", class: "quiet small" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  return button;
}
