// Serves the page, and what goes wrong on purpose.
import { createReadStream, existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { answerBadly } from "./broken.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TESTS = join(ROOT, "js-tests");
const VECTORS = join(ROOT, "spec/vectors");
export const DIST = join(ROOT, "wasm/dist");
export const TESTKIT = join(ROOT, "target/testkit/reseal_testkit.wasm");

/** Where the parts of a URL's path lie. */
const FOLDERS = {
  browser: join(TESTS, "browser"),
  bench: join(TESTS, "bench"),
  properties: join(TESTS, "properties"),
  vectors: join(TESTS, "vectors"),
  dist: DIST,
  fresh: DIST,
  spec: VECTORS,
};
const FILES = {
  "/": join(TESTS, "browser/index.html"),
  "/engine": join(TESTS, "browser/engine.html"),
  "/testkit.wasm": TESTKIT,
};
export const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css",
  ".mjs": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** Serves on a free port of this machine; `exchange` is what the page is asked to open. */
export async function serve(exchange, port = 0) {
  const peers = bundlePeers();
  const server = createServer((request, response) => answer(request, response, exchange, peers));
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${server.address().port}/`, close };
}

/** Every file of vectors, by its name and its URL. */
export function vectorFiles() {
  const names = readdirSync(VECTORS, { recursive: true }).filter((name) => name.endsWith(".json"));
  const files = names.filter((name) => !name.startsWith("schema")).sort();
  return files.map((name) => {
    return { name: `spec/vectors/${name}`, url: `/spec/${name}`, path: join(VECTORS, name) };
  });
}

function answer(request, response, exchange, peers) {
  const { pathname } = new URL(request.url, "http://localhost");
  const path = decodeURIComponent(pathname);
  if (path === "/files.json") return json(response, vectorFiles());
  if (path === "/exchange.json") return json(response, exchange);
  if (path === "/peers.mjs") return script(response, peers);
  if (answerBadly(path, response)) return undefined;
  const file = FILES[path] ?? fileOf(path);
  if (file === undefined || !existsSync(file)) return response.writeHead(404).end();
  response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
  return createReadStream(file).pipe(response);
}

function fileOf(path) {
  const [, first, ...rest] = path.split("/");
  // Each number is another folder with the package, for whoever needs one of his own.
  if (first === "fresh") rest.shift();
  const folder = FOLDERS[first];
  if (folder === undefined) return undefined;
  const file = normalize(join(folder, ...rest));
  return file.startsWith(folder + sep) ? file : undefined;
}

function json(response, thing) {
  response.writeHead(200, { "content-type": TYPES[".json"] }).end(JSON.stringify(thing));
}

async function script(response, text) {
  response.writeHead(200, { "content-type": TYPES[".mjs"] }).end(await text);
}

/** What is not ours, in one file: workers have no import map. The bundler is that of the package. */
async function bundlePeers() {
  const { build } = createRequire(join(ROOT, "wasm/package.json"))("esbuild");
  const contents = readFileSync(join(TESTS, "browser/peers.mjs"), "utf8");
  const stdin = { contents, resolveDir: TESTS };
  const { outputFiles } = await build({ stdin, bundle: true, format: "esm", write: false });
  return outputFiles[0].text;
}
