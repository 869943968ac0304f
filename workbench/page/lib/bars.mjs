// A bar chart. It is a picture of a table that stands beside it, so it is hidden from readers.
import { count, h } from "./dom.mjs";

const SHOWN = 12;

/**
 * Bars of names and numbers, the last of them for all that are not shown; `tone` gives the class of a bar.
 *
 * @param {string} title
 * @param {readonly [string, number][]} pairs
 * @param {(name: string) => string} tone
 */
export function bars(title, pairs, tone) {
  const others = pairs.slice(SHOWN);
  const shown = pairs.slice(0, SHOWN);
  if (others.length > 0) shown.push([`${count(others.length)} more`, sumOf(others)]);
  const most = Math.max(...shown.map(([, number]) => number));
  const sum = sumOf(pairs);
  const lines = shown.flatMap(([name, number]) => {
    const bar = h("span", { class: `bar ${tone(name)}` });
    // Only a style that a script sets is allowed here.
    bar.style.inlineSize = `${Math.max(0.5, (100 * number) / most)}%`;
    const text = `${count(number)} · ${share(number, sum)}`;
    return [h("span", { class: "what" }, name), h("span", { class: "track" }, bar), h("span", { class: "much" }, text)]; // prettier-ignore
  });
  return h("figure", { class: "bars", "aria-hidden": "true" }, h("figcaption", {}, title), h("div", { class: "lines" }, ...lines)); // prettier-ignore
}

/** @param {readonly [string, number][]} pairs */
const sumOf = (pairs) => pairs.reduce((all, [, number]) => all + number, 0);

/**
 * @param {number} number
 * @param {number} sum
 */
export function share(number, sum) {
  const percent = (100 * number) / sum;
  return percent > 0 && percent < 0.1 ? "< 0.1 %" : `${percent.toFixed(percent < 10 ? 1 : 0)} %`;
}
