// A headless Chromium with the workbench, built anew and served as `make workbench` serves it.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { build } from "../../workbench/build.mjs";
import { serve } from "../../workbench/serve.mjs";
import { CHROMIUM_FLAGS, findBrowser } from "../browsers.mjs";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Runs a task with a browser and the address of the page, and ends both. */
export async function withWorkbench(task) {
  const folder = join(ROOT, "target/workbench-tests");
  build(folder);
  const { server, url } = await serve(folder);
  const browser = await chromium.launch({
    executablePath: findBrowser("chromium"),
    args: CHROMIUM_FLAGS,
  });
  try {
    return await task(browser, url, server);
  } finally {
    await browser.close();
    server.close();
    server.closeAllConnections();
  }
}

/** A page that started, and all that it asked for and complained of. */
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1120, height: 900 },
    permissions: ["clipboard-read", "clipboard-write"],
    ...options,
  });
  const page = await context.newPage();
  const seen = { requests: [], complaints: [] };
  context.on("request", (request) => seen.requests.push(`${request.method()} ${request.url()}`));
  page.on("websocket", (socket) => seen.requests.push(`WEBSOCKET ${socket.url()}`));
  page.on("pageerror", (error) => seen.complaints.push(`page error: ${error.message}`));
  page.on("console", (message) => seen.complaints.push(`console: ${message.text()}`));
  // The browser writes violations on the console as well, but not those of every kind.
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
      console.error(`policy: ${violatedDirective} ${blockedURI}`);
    });
  });
  await page.goto(url);
  await page.waitForFunction(() => document.getElementById("starting") === null);
  return { page, context, seen };
}

/** Shows a panel. */
export const panel = (page, name) => page.getByRole("tab", { name }).click();

/** Gives the census a file of a text or of bytes, as choosing it would. */
export async function chooseFile(page, name, content) {
  const file = { name, mimeType: "text/plain", buffer: Buffer.from(content) };
  await page.locator("#census-file").setInputFiles(file);
}
