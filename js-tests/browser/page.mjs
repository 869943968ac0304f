// Runs in the page: the vectors, then round trips. Shows a report and leaves it in `window.report`.
import * as reseal from "reseal";
import { Report } from "../vectors/report.mjs";
import { runDocument } from "../vectors/shapes.mjs";
import { testkitOf } from "../vectors/testkit.mjs";
import { runFace } from "./face.mjs";

const lines = [];
const total = { passed: 0, failed: 0 };
document.querySelector("#agent").textContent = navigator.userAgent;

try {
  show("before init", await attempt(beforeInit));
  await reseal.init();
  const kit = await WebAssembly.compile(await bytesOf("/testkit.wasm"));
  const tools = { reseal, testkit: testkitOf(kit), iterations: 10_000 };
  for (const file of JSON.parse(new TextDecoder().decode(await bytesOf("/files.json")))) {
    const document = JSON.parse(new TextDecoder().decode(await bytesOf(file.url)));
    show(file.name, await attempt(() => runDocument(document, tools)));
  }
  show("round trips and refusals", await attempt(() => runFace(reseal)));
  show("a web worker", await attempt(inWorker));
} catch (error) {
  const broken = new Report();
  broken.case("the page", () => {
    throw error;
  });
  show("the page", broken);
}
const verdict = total.failed === 0 ? "all passed" : `${total.failed} FAILED`;
document.querySelector("#summary").textContent = `${total.passed} passed, ${verdict}`;
window.report = { lines, ...total };

function beforeInit() {
  const report = new Report();
  report.case("a call before init says what to do", () => {
    try {
      reseal.Key.generate();
    } catch (error) {
      if (error.code === "not-initialized" && error.message.includes("await init()")) return;
    }
    throw new Error("expected not-initialized");
  });
  return report;
}

/** The same face in a worker: its cases are the worker's. */
async function inWorker() {
  const worker = new Worker("/browser/worker.mjs", { type: "module" });
  const result = await new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
  });
  worker.terminate();
  return Object.assign(new Report(), result);
}

/** A report, also where running it breaks. */
async function attempt(run) {
  try {
    return await run();
  } catch (error) {
    const report = new Report();
    report.case("running it", () => {
      throw error;
    });
    return report;
  }
}

async function bytesOf(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.arrayBuffer();
}

function show(name, report) {
  lines.push(...report.lines("chromium", name));
  total.passed += report.passed;
  total.failed += report.failed.length;
  const row = document.querySelector("#rows").insertRow();
  row.className = report.failed.length === 0 ? "passed" : "failed";
  const left = report.leftOut.map(({ cases, reason }) => `${cases}: ${reason}`).join("; ");
  const what = [name, ...report.failed].join("\n");
  for (const text of [what, report.run, report.passed, report.failed.length, left]) {
    const cell = row.insertCell();
    cell.textContent = text;
    cell.style.whiteSpace = "pre-line";
    if (typeof text === "number") cell.className = "number";
  }
}
