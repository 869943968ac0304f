// Drives browsers through the page: prints its report, compares it with Node, ends with `RESULT passed=N
// failed=N`, and exits 1 on a failure. A browser that is missing is a failure.
//   node js-tests/browser/run.mjs [--browser chromium,firefox] [--screenshot FILE] [--query bench=long]
//   node js-tests/browser/run.mjs --serve [--port 8080]     only serves the page, to look at it
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { Key, Keyring } from "reseal";
import { findBrowser } from "../browsers.mjs";
import { benchLine } from "./bench.mjs";
import { Result } from "./result.mjs";
import { serve } from "./server.mjs";

const LIMIT_MS = 600_000;
const POLL_MS = 200;
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const { values: options } = parseArgs({
  options: {
    browser: { type: "string", default: "chromium,firefox" },
    query: { type: "string", default: "" },
    screenshot: { type: "string" },
    serve: { type: "boolean", default: false },
    port: { type: "string", default: "0" },
  },
});

const key = Key.generate();
const ring = new Keyring({ primary: key });
const context = { table: "users", row: 42 };
const values = ["", "x", "hällo 🌍", "é".repeat(1000)];
const exchange = { key: key.export(), values, context, sealed: ring.sealMany(values, context) };
const server = await serve(exchange, Number(options.port));
if (options.serve) console.log(server.url);
else await runAll();

/** All at once: each has little to do while it waits. Their lines stay together. */
async function runAll() {
  const node = linesOfNode();
  const results = await Promise.all(
    options.browser.split(",").map((name) => runBrowser(name, node)),
  );
  const sum = (member) => results.reduce((all, one) => all + one[member], 0);
  console.log(`RESULT passed=${sum("passed")} failed=${sum("failed")}`);
  process.exitCode = sum("failed") === 0 && sum("passed") > 0 ? 0 : 1;
  server.close();
}

/** Whatever breaks is a failure of this browser. */
async function runBrowser(name, node) {
  const result = new Result(name);
  const start = performance.now();
  try {
    const driver = await import(`./drivers/${name}.mjs`);
    const path = findBrowser(name);
    const page = `${server.url}?${options.query}`;
    const report = await drive(driver, path, page, {}, options.screenshot);
    take(result, report);
    compare(result, report, await node);
    for (const [what, launch] of Object.entries(driver.LACKING)) {
      lacks(result, what, await drive(driver, path, `${server.url}engine`, launch));
    }
  } catch (error) {
    result.check("it runs", false, error.message);
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  result.say(`${result.passed} passed, ${result.failed} failed, ${seconds} s`);
  console.log(result.lines.join("\n"));
  return result;
}

/** The report of a page, once it is done, with what the console showed. */
async function drive(driver, path, url, launch, screenshot) {
  const session = await driver.open(path, url, launch);
  try {
    for (let spent = 0; spent < LIMIT_MS; spent += POLL_MS) {
      const text = await session.evaluate(
        "window.report?.done ? JSON.stringify(window.report) : null",
      );
      if (text !== null) {
        if (screenshot !== undefined) await session.screenshot(screenshot);
        return { ...JSON.parse(text), strange: session.messages.filter(isStrange) };
      }
      await sleep(POLL_MS);
    }
    const last = await session.evaluate("window.report?.last ?? 'nothing'");
    throw new Error(`no report after ${LIMIT_MS / 1000} s; the last that it has: ${last}`);
  } finally {
    await Promise.race([session.close(), sleep(5000, undefined, { ref: false })]).catch(() => {});
    session.kill();
  }
}

/** Counts the parts of a report, and opens in Node what was sealed. */
function take(result, report) {
  for (const [place, { parts, bench, sealed }] of Object.entries(report.places)) {
    for (const { line, passed, failed, ms } of parts) {
      result.say(`${place} ${line} (${Math.round(ms)} ms)`, ...failed.map((one) => `  ${one}`));
      result.passed += passed;
      result.failed += failed.length;
    }
    for (const row of bench) result.say(`${place} ${benchLine(row)}`);
    const opened = ring.openManyString(sealed, context);
    result.check(`${place}: Node opens what it sealed`, opened.join() === values.join());
  }
  for (const { text, url } of report.strange) {
    result.check("the console is empty", false, `${text} ${url}`);
  }
}

/** Each line of Node must be one of the page, and one of the worker. */
function compare(result, { places }, lines) {
  for (const place of ["page", "worker"]) {
    const here = new Set((places[place]?.parts ?? []).map(({ line }) => line));
    const other = lines.filter((line) => !here.has(line));
    const isSame = lines.length > 0 && other.length === 0;
    result.check(`${place}: ${lines.length} lines as in Node`, isSame, other.join("\n  "));
  }
}

function lacks(result, what, { code, message, use }) {
  const isRefused = code === "engine-unsupported" && message.includes(`no ${what}: use`);
  result.check(`without ${what}: engine-unsupported`, isRefused, message ?? `a key for ${use}`);
}

/** What the page asks for and does not get is shown by the console, and so are the warnings of columns. */
function isStrange({ text, url }) {
  if (text.startsWith("PlaintextWarning: a column")) return false;
  const isAsked = /\/(broken|csp)\/|\/\/localhost:/.test(`${url} ${text}`);
  return !(isAsked || /Content[- ]Security[- ]Policy|CORS|ERR_INVALID_URL/i.test(text));
}

async function linesOfNode() {
  const program = fileURLToPath(new URL("node.mjs", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program], { cwd: ROOT });
  return stdout.trim().split("\n");
}
