// Drives a headless Chromium through the page: prints its report, `RESULT passed=N failed=N`, and
// exits 1 on a failure. `--serve` only serves the page, to look at it.
import { execFileSync } from "node:child_process";
import { createReadStream, existsSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { Key, Keyring } from "reseal";

const LIMIT_MS = 180_000;
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const VECTORS = join(ROOT, "spec/vectors");
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];
/** Where the parts of a URL's path lie. */
const FOLDERS = {
  browser: join(ROOT, "js-tests/browser"),
  vectors: join(ROOT, "js-tests/vectors"),
  dist: join(ROOT, "wasm/dist"),
  spec: VECTORS,
};
const TYPES = {
  ".html": "text/html",
  ".mjs": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

const server = createServer(answer);
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${server.address().port}/`;
if (process.argv.includes("--serve")) console.log(url);
else await run();

async function run() {
  let browser;
  const timer = setTimeout(() => {
    console.log(`browser: no report after ${LIMIT_MS / 1000} s\nRESULT passed=0 failed=1`);
    // By its id, whatever state it is in.
    browser?.process().kill("SIGKILL");
    process.exit(1);
  }, LIMIT_MS);
  try {
    browser = await chromium.launchServer({ executablePath: findChromium(), args: FLAGS });
    const { lines, passed, failed } = await drive(browser.wsEndpoint());
    console.log([...lines, `RESULT passed=${passed} failed=${failed}`].join("\n"));
    process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
  } catch (error) {
    console.log(`browser: ${error.message}\nRESULT passed=0 failed=1`);
    process.exitCode = 1;
  } finally {
    await browser?.close();
    clearTimeout(timer);
    server.close();
    server.closeAllConnections();
  }
}

async function drive(endpoint) {
  const connection = await chromium.connect(endpoint);
  const page = await connection.newPage();
  const strange = [];
  page.on("pageerror", (error) => strange.push(`  page error: ${error.message}`));
  page.on("console", (message) => {
    // The values of the vectors are spelled by columns of plaintext.
    const text = message.text();
    if (!text.startsWith("PlaintextWarning: a column")) strange.push(`  console: ${text}`);
  });
  await page.goto(url);
  await page.waitForFunction(() => window.report !== undefined, undefined, { timeout: LIMIT_MS });
  const report = await page.evaluate(() => window.report);
  const between = await withNode(page);
  await connection.close();
  strange.push(...missing(report.lines));
  return {
    lines: [...report.lines, ...strange, ...between.lines],
    passed: report.passed + between.passed,
    failed: report.failed + between.failed + strange.length,
  };
}

/** Vector files that did not run in the page, case by case, as they run in Node. */
function missing(lines) {
  const files = vectorFiles().map(({ name }) => name);
  const program = [join(FOLDERS.vectors, "run.mjs"), ...files];
  // The page runs the short accumulated hash, also where the long one is asked for.
  const env = { ...process.env, RESEAL_ASSURE: undefined };
  const output = execFileSync(process.execPath, program, { cwd: ROOT, env, encoding: "utf8" });
  const counts = (line) => line.replace(/^\w+ /, "");
  const here = new Set(lines.map(counts));
  const other = output.trim().split("\n").map(counts).filter((line) => !here.has(line)); // prettier-ignore
  return other.map((line) => `  not as in Node: ${line}`);
}

/** What the page seals Node opens, and the reverse. */
async function withNode(page) {
  const key = Key.generate();
  const ring = new Keyring({ primary: key });
  const context = { table: "users", row: 42 };
  const values = ["", "x", "hällo 🌍", "é".repeat(1000)];
  const sealed = ring.sealMany(values, context);
  const [opened, theirs] = await page.evaluate(
    async ([text, values, sealed, context]) => {
      const { Keyring } = await import("reseal");
      const ring = new Keyring({ primary: text });
      return [ring.openManyString(sealed, context), ring.sealMany(values, context)];
    },
    [key.export(), values, sealed, context],
  );
  const good = [opened.join() === values.join(), ring.openManyString(theirs, context).join() === values.join()]; // prettier-ignore
  const passed = good.filter(Boolean).length;
  const counts = `run=2 passed=${passed} failed=${2 - passed}`;
  return { lines: [`chromium values of Node and back ${counts}`], passed, failed: 2 - passed };
}

function answer(request, response) {
  const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
  if (path === "/files.json") return response.end(JSON.stringify(vectorFiles()));
  const file = fileOf(path);
  if (file === undefined || !existsSync(file)) return response.writeHead(404).end();
  response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
  createReadStream(file).pipe(response);
}

function fileOf(path) {
  if (path === "/") return join(FOLDERS.browser, "index.html");
  if (path === "/testkit.wasm") return join(ROOT, "target/testkit/reseal_testkit.wasm");
  const [, first, ...rest] = path.split("/");
  const folder = FOLDERS[first];
  if (folder === undefined) return undefined;
  const file = normalize(join(folder, ...rest));
  return file.startsWith(folder + sep) ? file : undefined;
}

function vectorFiles() {
  const names = readdirSync(VECTORS, { recursive: true }).filter((name) => name.endsWith(".json"));
  const files = names.filter((name) => !name.startsWith("schema")).sort();
  return files.map((name) => ({ name: `spec/vectors/${name}`, url: `/spec/${name}` }));
}

/** The browser that the scripts find; CHROMIUM names another one. */
function findChromium() {
  const script = "source scripts/lib.sh && find_chromium";
  const found = execFileSync("bash", ["-c", script], { cwd: ROOT, encoding: "utf8" }).trim();
  if (found === "") throw new Error("no Chromium found: install it, or set CHROMIUM to its path");
  return found;
}
