// Makes elements. Text is always text: nothing that a daemon, a drive or a camera says is ever read as HTML.

const SVG = "http://www.w3.org/2000/svg";

// A command in a daemon's sentence stands between backticks.
function commands(text) {
  return text.split("`").map((part, at) => (at % 2 ? fill(document.createElement("code"), {}, [part]) : part));
}

const closed = (text) => typeof text === "string" && text.includes("`") && text.split("`").length % 2 === 1;

const pieces = (children) => children.flat(3)
  .filter((child) => child !== null && child !== undefined && child !== false)
  .flatMap((child) => (closed(child) ? commands(child) : [child]));

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...pieces(children));
  return element;
}

export const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
export const s = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
export const $ = (selector) => document.querySelector(selector);

// Replaces what an element holds and keeps the focus on the control with the same data-key.
export function put(element, ...children) {
  const key = element.contains(document.activeElement) ? document.activeElement.dataset?.key : undefined;
  element.replaceChildren(...pieces(children));
  if (key) [...element.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key)?.focus();
}

export function table(heads, rows, name) {
  return h("div", { class: "scroll" }, h("table", { "aria-label": name },
    h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))),
    h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell, at) => h("td", { "data-head": heads[at] }, cell)))))));
}

// "state-" + a class for the colour; the word itself is always there, colour is never alone.
export const word = (text, tone) => h("span", { class: `word-${tone}` }, text ?? "unknown");

let timer = 0;
export function toast(text, tone = "good") {
  const box = $("#toast");
  put(box, h("p", { class: tone }, text));
  clearTimeout(timer);
  timer = setTimeout(() => box.replaceChildren(), tone === "good" ? 6000 : 15000);
}
