// Elements, messages and the clipboard.
import { ResealError } from "../reseal/browser.mjs";
import { WHAT_TO_DO } from "../errors.mjs";

/** The element of an id. */
export const byId = (id) => document.getElementById(id);

/** An element with properties and children. `class`, `for`, ARIA and data attributes work too. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** A line that says how something went: `good`, `bad` or `warn`. */
export function message(kind, title, ...text) {
  const words = { good: "Done", bad: "Refused", warn: "Careful" };
  return h(
    "div",
    { class: `message ${kind}` },
    h("strong", {}, title ?? words[kind]),
    ...text.map((line) => h("p", {}, line)),
  );
}

/** What an error says, with its code and what to do. Anything but an error of Reseal is a bug. */
export function problem(error) {
  if (!(error instanceof ResealError)) {
    console.error(error);
    return message("bad", "The workbench failed", "This is a bug of the page, not of your value.");
  }
  const advice = WHAT_TO_DO[error.code];
  return h(
    "div",
    { class: "message bad" },
    h("strong", {}, "Refused: ", h("code", {}, error.code)),
    h("p", {}, error.message),
    advice === undefined ? undefined : h("p", {}, h("b", {}, "What to do: "), advice),
  );
}

/** A button that copies what `text` gives, and says whether it could. */
export function copyButton(text, label = "Copy", name = undefined) {
  const button = h("button", { type: "button", class: "quiet", "aria-label": name }, label);
  button.addEventListener("click", () => copy(button, text(), label));
  return button;
}

/** Copies a text, and says so on the button for a moment. */
export async function copy(button, text, label) {
  let said = "Copied";
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    said = "Not allowed here";
  }
  button.textContent = said;
  setTimeout(() => (button.textContent = label), 1500);
}

/** The first eight characters of a key id, as people say them; the whole is a tooltip. */
export function shortId(id) {
  return h("code", { class: "kid", title: id }, `${id.slice(0, 8)}…`);
}

/** A table with a caption, of rows of texts or elements. The first cell of a row is its head. */
export function table(caption, heads, rows, properties = {}) {
  const row = ([first, ...others]) =>
    h("tr", {}, h("th", { scope: "row" }, first), ...others.map((cell) => h("td", {}, cell)));
  const inner = h(
    "table",
    properties,
    h("caption", {}, caption),
    h("thead", {}, h("tr", {}, ...heads.map((head) => h("th", { scope: "col" }, head)))),
    h("tbody", {}, ...rows.map((cells) => (cells instanceof Element ? cells : row(cells)))),
  );
  // A table may be wider than a phone: then it scrolls by itself, also with the keyboard.
  return h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption }, inner);
}

/** Pairs of a term and what it is. */
export function facts(pairs) {
  return h(
    "dl",
    { class: "facts" },
    ...pairs.map(([term, ...what]) => h("div", {}, h("dt", {}, term), h("dd", {}, ...what))),
  );
}

/** A number as people read it. */
export const count = (number) => number.toLocaleString("en");

/** Many or one. */
export const plural = (number, one, many = `${one}s`) =>
  `${count(number)} ${number === 1 ? one : many}`;
