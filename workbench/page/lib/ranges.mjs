// The bytes of a value, each range with its colour, its number and its explanation. A range and its
// row in the table point at each other, by pointer and by keyboard.
import { hexOf } from "./bytes.mjs";
import { count, h, table } from "./dom.mjs";
import { placeOf, sizeOf } from "./layouts.mjs";

/** @import { Range } from "./layouts.mjs" */

/** Longer ranges are shown by their beginning. */
const SHOWN_BYTES = 48;

/** @param {readonly Range[]} ranges */
export function rangesView(ranges) {
  const view = h("div", { class: "ranges" });
  const bytes = ranges.map((range, at) => chunk(range, at));
  const rows = ranges.map((range, at) => explained(range, at));
  const heads = ["Range", "Place", "Size", "What it is"];
  view.append(
    h("div", { class: "bytes", role: "group", "aria-label": "Bytes in hexadecimal" }, ...bytes),
    table("Ranges of bytes", heads, rows, { class: "explained" }),
  );
  for (const kind of ["pointerover", "focusin"]) {
    view.addEventListener(kind, ({ target }) => mark(view, above(target, "[data-range]")));
  }
  for (const kind of ["pointerleave", "focusout"])
    view.addEventListener(kind, () => mark(view, null));
  view.addEventListener("click", ({ target }) => {
    const button = above(target, "button");
    if (button !== null) other(view, button)?.focus();
  });
  return view;
}

/**
 * The hexadecimal is for eyes: read aloud, it would hide the name of the range.
 *
 * @param {Range} range
 * @param {number} at
 */
function chunk(range, at) {
  const { name, bytes } = range;
  const hex = Array.from(bytes.subarray(0, SHOWN_BYTES), hexOf);
  const left = bytes.length - hex.length;
  const more = left > 0 ? [h("span", { class: "more" }, `… ${count(left)} more`)] : [];
  return h(
    "button",
    { type: "button", class: `chunk tone-${at + 1}`, "data-range": at },
    number(at),
    h("span", { class: "unseen" }, ` ${name}, ${placeOf(range)}`),
    h("span", { class: "hex", "aria-hidden": "true" }, hex.join(" "), ...more),
  );
}

/**
 * @param {Range} range
 * @param {number} at
 */
function explained(range, at) {
  const button = h("button", { type: "button", class: "term", "data-range": at });
  button.append(number(at), range.name);
  return h(
    "tr",
    { "data-range": at },
    h("th", { scope: "row" }, button),
    h("td", { class: "place" }, placeOf(range)),
    h("td", { class: "place" }, sizeOf(range)),
    h("td", {}, range.note),
  );
}

/** @param {number} at */
const number = (at) => h("span", { class: `number tone-${at + 1}` }, String(at + 1));

/**
 * The target of an event, or what it is in.
 *
 * @param {EventTarget | null} target
 * @param {string} selector
 */
const above = (target, selector) => (target instanceof Element ? target.closest(selector) : null);

/**
 * @param {Element} view
 * @param {Element | null} marked
 */
function mark(view, marked) {
  for (const part of view.querySelectorAll("[data-range]")) {
    part.classList.toggle("on", marked !== null && rangeOf(part) === rangeOf(marked));
  }
}

/**
 * @param {Element} view
 * @param {Element} button
 */
function other(view, button) {
  const buttons = [...view.querySelectorAll("button")];
  return buttons.find((one) => one !== button && rangeOf(one) === rangeOf(button));
}

/** @param {Element} part */
const rangeOf = (part) => part.getAttribute("data-range");
