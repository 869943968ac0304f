// Runs page.html in headless Chromium, with the npm package's browser entry and the shared vectors.
// The page counts: it sets `window.result = { passed, failed, messages }` when it is through.
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const folders = {
  "/page/": join(root, "js-tests/browser"),
  "/reseal/": join(root, "wasm/dist"),
  "/testkit/": join(root, "target/testkit"),
  "/vectors/": join(root, "spec/vectors"),
};
const types = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

function answer(request, response) {
  const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
  try {
    if (path === "/vectors/") {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(vectorFiles()));
      return;
    }
    const prefix = Object.keys(folders).find((prefix) => path.startsWith(prefix));
    const file = join(folders[prefix], normalize(path.slice(prefix.length)));
    const body = readFileSync(file);
    response.setHeader("content-type", types[extname(file)] ?? "application/octet-stream");
    response.end(body);
  } catch {
    response.statusCode = 404;
    response.end();
  }
}

// A browser cannot walk a folder: `/vectors/` lists the files below it.
function vectorFiles() {
  return readdirSync(folders["/vectors/"], { recursive: true })
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => name.endsWith(".json") && !name.includes("schema"))
    .sort();
}

function findChromium() {
  const script = "source scripts/lib.sh && find_chromium";
  return execFileSync("bash", ["-c", script], { cwd: root, encoding: "utf8" }).trim();
}

const executablePath = findChromium();
if (!executablePath) throw new Error("no Chromium found: install it, or set CHROMIUM to its path");

const server = createServer(answer);
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const browser = await chromium.launch({
  executablePath,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
  ],
});
try {
  const page = await browser.newPage();
  // A page that breaks never sets its result: do not wait for it.
  const broken = new Promise((_, reject) => page.on("pageerror", reject));
  page.on("console", (message) => console.log(`browser: ${message.text()}`));
  await page.goto(`http://127.0.0.1:${server.address().port}/page/page.html`);
  const done = () => globalThis.result !== undefined;
  await Promise.race([page.waitForFunction(done, null, { timeout: 300_000 }), broken]);
  const { passed, failed, messages } = await page.evaluate(() => globalThis.result);
  for (const message of messages) console.log(`browser: ${message}`);
  console.log(`browser: Chromium ${browser.version()}`);
  console.log(`RESULT passed=${passed} failed=${failed}`);
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  await browser.close();
  server.close();
}
