// Runs everything in the page, then in a worker. Shows a report and leaves it in `window.report`.
import * as reseal from "reseal";
import { Report } from "../vectors/report.mjs";
import { runPlace } from "./place.mjs";
import { lineOf, part } from "./sections.mjs";
import { finish, showBench, showPart, start } from "./show.mjs";

const options = new URL(location.href).searchParams;
const report = { agent: navigator.userAgent, done: false, passed: 0, failed: 0, places: {} };
window.report = report;
const strange = new Report();
// Held by the module: Firefox ends a worker that waits and that only its own handlers refer to.
let worker;
addEventListener("error", ({ message }) => fail(`an error of the page: ${message}`));
addEventListener("unhandledrejection", ({ reason }) => fail(`an unhandled rejection: ${reason}`));

start(report);
for (const [place, run] of [
  ["page", () => runPlace(reseal, options)],
  ["worker", inWorker],
]) {
  report.places[place] = { parts: [], bench: [], sealed: [] };
  await collect(place, run);
}
if (strange.run === 0) strange.case("none", () => {});
keep("page", await part("page", "errors that nobody caught", () => strange));
report.done = true;
finish(report);

async function collect(place, run) {
  try {
    for await (const event of run()) {
      if (event.part) keep(place, event.part);
      if (event.sealed) report.places[place].sealed = event.sealed;
      if (event.bench) {
        report.places[place].bench.push(event.bench);
        showBench(place, event.bench);
      }
    }
  } catch (error) {
    fail(`the ${place} broke: ${error.message}`);
  }
}

function keep(place, one) {
  const kept = { line: lineOf(one), ...one };
  report.places[place].parts.push(kept);
  report.last = `${place} ${kept.line}`;
  report.passed += one.passed;
  report.failed += one.failed.length;
  showPart(place, kept, report);
}

function fail(message) {
  strange.case(message, () => {
    throw new Error("see the console");
  });
}

/** The events of the worker, as they come. */
async function* inWorker() {
  worker = new Worker(`/browser/worker.mjs${location.search}`, { type: "module" });
  const events = [];
  let wake = () => {};
  const push = (event) => {
    events.push(event);
    wake();
  };
  worker.onmessage = ({ data }) => push(data);
  worker.onerror = (event) => {
    event.preventDefault();
    push({ broken: event.message ?? "the worker did not load" });
  };
  for (;;) {
    while (events.length === 0) await new Promise((resolve) => (wake = resolve));
    const event = events.shift();
    if (event.broken) throw new Error(event.broken);
    if (event.done) break;
    yield event;
  }
  worker.terminate();
}
