// Elements, messages and the clipboard.
import { ResealError } from "../reseal/browser.mjs";
import { WHAT_TO_DO } from "../errors.mjs";

/** @typedef {Node | string | undefined} Child */
/** @typedef {string | number | boolean | undefined | ((event: Event) => void)} Property */

/**
 * The element of an id.
 *
 * @param {string} id
 */
export const byId = (id) => typed(document.getElementById(id), HTMLElement);

/**
 * An element that must be there, and of a kind.
 *
 * @template {Element} E
 * @param {Element | null} element
 * @param {new () => E} kind
 */
export function typed(element, kind) {
  if (element instanceof kind) return element;
  throw new TypeError(`${element?.id ?? "an element"} is no ${kind.name}`);
}

/**
 * What a select has chosen: the name of one of some words.
 *
 * @template {string} T
 * @param {HTMLSelectElement} select
 * @param {Readonly<Record<T, unknown>>} words
 */
export function choiceOf(select, words) {
  const { value } = select;
  if (isNameOf(words, value)) return value;
  throw new TypeError(`${select.id} offers what is unknown`);
}

/**
 * @template {string} T
 * @param {Readonly<Record<T, unknown>>} words
 * @param {string} name
 * @returns {name is T}
 */
const isNameOf = (words, name) => Object.hasOwn(words, name);

/**
 * An element with properties and children. `class`, `for`, ARIA and data attributes work too.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Readonly<Record<string, Property>>} properties
 * @param {Child[]} children
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/**
 * A line that says how something went: `good`, `bad` or `warn`.
 *
 * @param {"good" | "bad" | "warn"} kind
 * @param {string} title
 * @param {string[]} text
 */
export function message(kind, title, ...text) {
  return h(
    "div",
    { class: `message ${kind}` },
    h("strong", {}, title),
    ...text.map((line) => h("p", {}, line)),
  );
}

/**
 * What an error says, with its code and what to do. Anything but an error of Reseal is a bug.
 *
 * @param {unknown} error
 */
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

/**
 * A button that copies what `text` gives, and says whether it could.
 *
 * @param {() => string} text
 * @param {string} label
 * @param {string} [name]
 */
export function copyButton(text, label, name) {
  const button = h("button", { type: "button", class: "quiet", "aria-label": name }, label);
  button.addEventListener("click", () => copy(button, text(), label));
  return button;
}

/**
 * Copies a text, and says so on the button for a moment.
 *
 * @param {HTMLElement} button
 * @param {string} text
 * @param {string} label
 */
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

/**
 * The first eight characters of a key id, as people say them; the whole is a tooltip.
 *
 * @param {string} id
 */
export function shortId(id) {
  return h("code", { class: "kid", title: id }, `${id.slice(0, 8)}…`);
}

/**
 * A table with a caption, of rows of texts or elements. The first cell of a row is its head.
 *
 * @param {string} caption
 * @param {readonly string[]} heads
 * @param {readonly (Element | readonly Child[])[]} rows
 * @param {Readonly<Record<string, Property>>} properties
 */
export function table(caption, heads, rows, properties = {}) {
  /** @param {readonly Child[]} cells */
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

/**
 * Pairs of a term and what it is.
 *
 * @param {readonly (readonly Child[])[]} pairs
 */
export function facts(pairs) {
  return h(
    "dl",
    { class: "facts" },
    ...pairs.map(([term, ...what]) => h("div", {}, h("dt", {}, term), h("dd", {}, ...what))),
  );
}

/**
 * A number as people read it.
 *
 * @param {number} number
 */
export const count = (number) => number.toLocaleString("en");

/**
 * Many or one.
 *
 * @param {number} number
 * @param {string} one
 */
export const plural = (number, one, many = `${one}s`) =>
  `${count(number)} ${number === 1 ? one : many}`;
