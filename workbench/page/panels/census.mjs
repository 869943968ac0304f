// Census: what an export holds, counted in pieces so that the page stays awake.
import { byId, count, h, message, plural, problem, shortId, table, typed } from "../lib/dom.mjs";
import { bars, share } from "../lib/bars.mjs";
import { FileProblem, records } from "../lib/records.mjs";
import { marked, Tally } from "../lib/tally.mjs";

/** @import { Group } from "../lib/tally.mjs" */

/** How long the page may be busy before it draws and listens. */
const BUSY_MS = 12;
const SAMPLE_ROWS = 200;
const SLICE_ROWS = 256;

const progress = typed(byId("census-progress"), HTMLProgressElement);
/** @type {File | undefined} */
let file;
/**
 * The count that runs: another one, or a button, ends it.
 *
 * @type {{ file: File } | undefined}
 */
let running;

export function startCensus() {
  const drop = byId("census-drop");
  const input = typed(byId("census-file"), HTMLInputElement);
  input.addEventListener("change", () => take(input.files?.[0]));
  // A file that misses the field must not replace the page.
  for (const kind of ["dragover", "drop"])
    addEventListener(kind, (event) => event.preventDefault());
  for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, () => drop.classList.add("over")); // prettier-ignore
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over")); // prettier-ignore
  drop.addEventListener("drop", ({ dataTransfer }) => take(dataTransfer?.files[0]));
  byId("census-choose").addEventListener("submit", (event) => {
    event.preventDefault();
    guarded(run);
  });
  byId("census-stop").addEventListener("click", () => (running = undefined));
}

/**
 * A new file: its columns, with those chosen that hold values of a format.
 *
 * @param {File | undefined} chosen
 */
function take(chosen) {
  if (chosen === undefined) return;
  file = chosen;
  running = undefined;
  // What the old count waits for may never come.
  busy(false);
  byId("census-result").replaceChildren();
  byId("census-choose").hidden = true;
  guarded(async () => {
    const rows = await sample(chosen);
    // Another file may have come meanwhile.
    if (file !== chosen) return;
    const names = [...new Set(rows.flatMap(Object.keys))];
    if (names.length === 0) throw new FileProblem("There are no rows in it.");
    /** @type {[string, number][]} */
    const found = names.map((name) => [name, marked(rows, name)]);
    const boxes = found.map(([name, number]) => {
      const note = number > 0 ? `${number} of the first ${rows.length} are marked` : "no marks";
      return choice(name, number > 0, note);
    });
    byId("census-columns").replaceChildren(...boxes);
    byId("census-status").textContent = "";
    byId("census-choose").hidden = false;
    if (found.every(([, number]) => number === 0)) say("warn", "No column stands out", "In its first rows no value carries the mark of a format. Choose the columns yourself."); // prettier-ignore
  });
}

/** @param {File} chosen */
async function sample(chosen) {
  const rows = [];
  for await (const piece of records(chosen)) {
    rows.push(...piece.rows.slice(0, SAMPLE_ROWS - rows.length));
    if (rows.length === SAMPLE_ROWS) break;
  }
  return rows;
}

/**
 * @param {string} name
 * @param {boolean} checked
 * @param {string} note
 */
function choice(name, checked, note) {
  const box = h("input", { type: "checkbox", value: name, checked });
  return h("label", { class: "check" }, box, h("span", {}, name), h("small", {}, note));
}

async function run() {
  if (file === undefined) return;
  const boxes = [...byId("census-columns").querySelectorAll("input")];
  const columns = boxes.filter((box) => box.checked).map((box) => box.value);
  const tally = new Tally(boxes.map((box) => box.value));
  if (columns.length === 0) return say("warn", "Choose a column", "None is chosen.");
  const mine = (running = { file });
  busy(true);
  try {
    await tallied(mine.file, columns, tally, () => running === mine);
    if (file !== mine.file) return;
    const late = [...tally.late].map(([name, isMarked]) => choice(name, isMarked, "came later"));
    byId("census-columns").append(...late);
    const isWhole = running === mine;
    byId("census-result").replaceChildren(...result(tally, columns, isWhole));
    byId("census-status").textContent = `${isWhole ? "Counted" : "Stopped after"} ${plural(tally.rows, "row")}`; // prettier-ignore
  } finally {
    // Another count may run already.
    if (running === mine || running === undefined) busy(false);
  }
}

/**
 * @param {File} counting
 * @param {readonly string[]} columns
 * @param {Tally} tally
 * @param {() => boolean} goesOn
 */
async function tallied(counting, columns, tally, goesOn) {
  let rested = performance.now();
  for await (const { rows, odd, read } of records(counting)) {
    tally.odd += odd;
    for (let at = 0; at < rows.length; at += SLICE_ROWS) {
      tally.add(rows.slice(at, at + SLICE_ROWS), columns);
      if (performance.now() - rested < BUSY_MS) continue;
      progress.value = read / counting.size;
      progress.textContent = `${plural(tally.rows, "row")}`;
      await rest();
      if (!goesOn()) return;
      rested = performance.now();
    }
  }
}

/** Lets the page draw and listen. */
function rest() {
  return new Promise((resolve) => setTimeout(resolve));
}

/**
 * @param {Tally} tally
 * @param {readonly string[]} columns
 * @param {boolean} isWhole
 */
function result(tally, columns, isWhole) {
  const groups = tally.groups();
  const sum = groups.reduce((all, { values }) => all + values, 0);
  if (sum === 0) return [message("warn", "Nothing to count", "There are no rows below the first line.")]; // prettier-ignore
  const rows = groups.map((group) => [
    group.column,
    h("span", { class: `codec ${group.codec}` }, group.codec),
    group.scheme === group.codec ? "" : group.scheme,
    keyCell(group),
    certaintyOf(group),
    count(group.values),
    share(group.values, sum),
  ]);
  const heads = ["Column", "Codec", "Mode or variant", "Key", "Certain", "Values", "Share"];
  const byKey = tally.by(({ key, codec }) => (key === undefined ? undefined : codec === "reseal" ? key.slice(0, 8) : `${codec} ${key}`)); // prettier-ignore
  const charts = [
    bars(
      "By codec",
      tally.by(({ codec }) => codec),
      (codec) => codec,
    ),
  ];
  if (byKey.length > 0) charts.push(bars("By key", byKey, () => "reseal"));
  const modes = tally.by(({ codec, scheme }) => (codec === "reseal" ? scheme : undefined));
  if (modes.length > 0) charts.push(bars("Envelopes by mode", modes, () => "reseal"));
  const what = `${plural(sum, "value")} in ${plural(tally.rows, "row")}`;
  return [
    h(
      "div",
      { class: "card" },
      h("h3", {}, isWhole ? what : `${what}, stopped early`),
      tally.odd > 0 ? oddRows(tally.odd) : undefined,
      tally.late.size > 0 ? lateColumns([...tally.late.keys()]) : undefined,
      h("div", { class: "charts" }, ...charts),
      table("In numbers", heads, rows, { class: "census" }),
      h("div", { class: "row" }, downloadButton({ rows: tally.rows, oddRows: tally.odd, complete: isWhole, columns, lateColumns: [...tally.late.keys()], groups })), // prettier-ignore
    ),
  ];
}

/** @param {number} odd */
function oddRows(odd) {
  const what = "They have more or fewer cells than the first line, or a quote in the wrong place. What was counted of them may be of another column: export the file anew."; // prettier-ignore
  return message("warn", `${plural(odd, "row")} may be read wrongly`, what);
}

/** @param {string[]} names */
function lateColumns(names) {
  const what = `${names.join(", ")}: no row of the first ${SAMPLE_ROWS} has them, so that nobody could choose them. They can be chosen now: count again.`; // prettier-ignore
  return message("warn", `${plural(names.length, "column")} not counted`, what);
}

/** @param {Group} group */
function keyCell({ key, codec }) {
  if (key === undefined) return "";
  return codec === "reseal" ? shortId(key) : h("code", {}, key);
}

/** @param {Group} group */
function certaintyOf({ codec, certainty }) {
  if (codec === "null" || codec === "empty" || codec === "plain") return "";
  return certainty === "yes" ? "yes" : "maybe";
}

/** @param {unknown} report */
function downloadButton(report) {
  const button = h("button", { type: "button" }, "Download as JSON");
  button.addEventListener("click", () => {
    const text = `${JSON.stringify(report, null, 2)}\n`;
    const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    h("a", { href: url, download: "census.json" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  });
  return button;
}

/** @param {boolean} isBusy */
function busy(isBusy) {
  const [go, stop] = [typed(byId("census-count"), HTMLButtonElement), byId("census-stop")];
  const [from, to] = isBusy ? [go, stop] : [stop, go];
  // A button that is disabled or hidden loses the focus.
  const hasFocus = document.activeElement === from;
  stop.hidden = !isBusy;
  go.disabled = isBusy;
  if (hasFocus) to.focus();
  progress.hidden = !isBusy;
  progress.value = 0;
  if (isBusy) byId("census-status").textContent = "Counting";
}

/**
 * Runs a task; what is wrong with the file is said, and nothing of the file.
 *
 * @param {() => Promise<void>} task
 */
async function guarded(task) {
  byId("census-error").replaceChildren();
  try {
    await task();
  } catch (error) {
    byId("census-status").textContent = "";
    if (error instanceof FileProblem) say("bad", "This file cannot be read", error.message);
    else if (error instanceof DOMException)
      say("bad", "This file cannot be read", "It was moved or changed, or this page may not read it."); // prettier-ignore
    else byId("census-error").replaceChildren(problem(error));
  }
}

/** @param {Parameters<typeof message>} words */
function say(...words) {
  byId("census-error").replaceChildren(message(...words));
}
