// Shows files of bundles in Chromium: each on a page that allows scripts of its server, WebAssembly
// and nothing else.
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize, relative, sep } from "node:path";
import { chromium } from "playwright-core";
import { CHROMIUM_FLAGS, findBrowser } from "../browsers.mjs";
import { ROOT } from "./project.mjs";

const BASE = join(ROOT, "target/consumers");
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
const TYPES = { ".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm" };
const LIMIT_MS = 60_000;

/** Calls `body` with what gives the title that a script gives its page, or that of another URL. */
export async function withPages(body) {
  const server = createServer(answer);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  const browser = await chromium.launch({
    executablePath: findBrowser("chromium"),
    args: CHROMIUM_FLAGS,
  });
  try {
    const pageOf = (file) => `${url}/page.html?${relative(BASE, file)}`;
    await body((what) => titleOf(browser, what instanceof URL ? what.href : pageOf(what)));
  } finally {
    await browser.close();
    server.close();
    server.closeAllConnections();
  }
}

async function titleOf(browser, url) {
  const page = await browser.newPage();
  const said = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(error.message));
  try {
    await page.goto(url);
    await page.waitForFunction(() => document.title !== "", undefined, { timeout: LIMIT_MS });
    return [await page.title(), ...said].join("\n");
  } catch (error) {
    throw new Error([error.message, ...said].join("\n"), { cause: error });
  } finally {
    await page.close();
  }
}

function answer(request, response) {
  const { pathname, search } = new URL(request.url, "http://localhost");
  response.setHeader("content-security-policy", POLICY);
  if (pathname === "/page.html") {
    response.setHeader("content-type", "text/html");
    return response.end(`<!doctype html><script type="module" src="/${search.slice(1)}"></script>`);
  }
  const file = normalize(join(BASE, decodeURIComponent(pathname)));
  if (!file.startsWith(BASE + sep) || !existsSync(file)) return response.writeHead(404).end();
  response.setHeader("content-type", TYPES[extname(file)] ?? "application/octet-stream");
  createReadStream(file).pipe(response);
}
