// The report as one sees it: progress, a table for each section and place, the speed, a button to copy it.
import { show } from "../bench/lib/rounds.mjs";
import { benchLine } from "./bench.mjs";

/** The sections in their order, with what they are called. */
const TITLES = {
  "bad input": "Bad input",
  vectors: "Vectors",
  face: "Round trips",
  properties: "Properties",
  exchange: "Values of Node",
  page: "The page",
};
const find = (id) => document.getElementById(id);

export function start(report) {
  find("agent").textContent = report.agent;
  find("copy").addEventListener("click", async () => {
    await navigator.clipboard.writeText(textOf(report));
    find("copy").textContent = "Copied";
  });
}

export function showPart(place, one, { passed, failed }) {
  const table = tableOf(place, one.section);
  const row = table.insertRow();
  row.className = one.failed.length === 0 ? "passed" : "failed";
  const name = row.insertCell();
  name.textContent = one.name;
  const notes = [
    ...one.failed,
    ...one.leftOut.map(({ cases, reason }) => `${cases} left out: ${reason}`),
  ];
  for (const note of notes) add(name, "small", note);
  for (const number of [one.passed + one.failed.length, one.failed.length, Math.round(one.ms)]) {
    const cell = row.insertCell();
    cell.className = "number";
    cell.textContent = number.toLocaleString("en");
  }
  if (one.failed.length > 0) table.closest("details").open = true;
  addUp(table.closest("details"));
  find("summary").textContent = `running in the ${place}: ${counts(passed, failed)} …`;
}

export function showBench(place, { size, call, micros, ratios }) {
  const id = `bench-${place}`;
  if (!find(id)) {
    const head = [
      "bytes",
      "call",
      "Reseal, µs",
      ...Object.keys(ratios).flatMap((peer) => [`${peer}, µs`, "ratio"]),
    ];
    section(place, id, "Speed", head).open = true;
  }
  const row = find(id).insertRow();
  const peers = Object.keys(ratios).flatMap((peer) => [show(micros[peer]), show(ratios[peer])]);
  for (const [at, text] of [size, call, show(micros.reseal), ...peers].entries()) {
    const cell = row.insertCell();
    cell.textContent = text;
    if (at !== 1) cell.className = "number";
  }
}

export function finish({ passed, failed }) {
  const summary = find("summary");
  summary.textContent = `${failed === 0 ? "All good" : "Not good"}: ${counts(passed, failed)}`;
  summary.className = failed === 0 ? "passed" : "failed";
  find("progress").hidden = true;
  find("copy").hidden = false;
}

/** The report as plain text. */
function textOf({ agent, passed, failed, places }) {
  const lines = Object.entries(places).flatMap(([place, { parts, bench }]) => [
    ...parts.flatMap(({ line, failed }) => [
      `${place} ${line}`,
      ...failed.map((one) => `  ${one}`),
    ]),
    ...bench.map((row) => `${place} ${benchLine(row)}`),
  ]);
  return [agent, ...lines, counts(passed, failed)].join("\n");
}

function counts(passed, failed) {
  return `${passed.toLocaleString("en")} cases passed, ${failed.toLocaleString("en")} failed`;
}

function tableOf(place, name) {
  const id = `${name.replace(" ", "-")}-${place}`;
  if (!find(id)) section(place, id, TITLES[name], ["what", "cases", "failed", "ms"]);
  return find(id);
}

/** A table that folds, under the heading of its place. */
function section(place, id, title, head) {
  const details = add(find(place), "details");
  const summary = add(details, "summary");
  add(summary, "b", title);
  add(summary, "span", "");
  const wide = add(details, "div");
  wide.className = "wide";
  const table = add(wide, "table");
  const row = table.createTHead().insertRow();
  for (const text of head) add(row, "th", text);
  add(table, "tbody").id = id;
  return details;
}

/** The sums of a table, beside its title. */
function addUp(details) {
  const cells = [...details.querySelectorAll("tbody tr")].map((row) => {
    return [...row.cells]
      .slice(1)
      .map(({ textContent }) => Number(textContent.replaceAll(",", "")));
  });
  const [cases, failed, ms] = [0, 1, 2].map((at) => cells.reduce((sum, row) => sum + row[at], 0));
  const sums = details.querySelector("summary span");
  sums.textContent = `${counts(cases - failed, failed)}, ${(ms / 1000).toFixed(1)} s`;
  sums.className = failed === 0 ? "" : "failed";
}

function add(parent, tag, text) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}
