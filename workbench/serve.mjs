// Serves a built workbench on this machine only, with its policy as a header too.
//   node workbench/serve.mjs FOLDER [PORT]
import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** @type {Readonly<Record<string, string>>} */
const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/**
 * A server of a folder, which listens on 127.0.0.1 already. Port 0 is a free one.
 *
 * @param {string} folder
 */
export async function serve(folder, port = 0) {
  const headers = {
    "content-security-policy": policyOf(readFileSync(join(folder, "index.html"), "utf8")),
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
  };
  const server = createServer((request, response) => {
    const file = fileOf(folder, request.url ?? "/");
    if (file === undefined) {
      response.writeHead(404, headers).end();
      return;
    }
    const type = TYPES[extname(file)] ?? "text/plain; charset=utf-8";
    response.writeHead(200, { ...headers, "content-type": type }).end(readFileSync(file));
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return { server, url: `http://127.0.0.1:${address.port}/` };
}

/**
 * The policy of the page, and what only a header can say.
 *
 * @param {string} html
 */
function policyOf(html) {
  const policy = /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/.exec(html)?.[1];
  if (policy === undefined) throw new Error("index.html names no policy");
  return `${policy}; frame-ancestors 'none'`;
}

/**
 * @param {string} folder
 * @param {string} url
 */
function fileOf(folder, url) {
  let path;
  try {
    path = decodeURIComponent(new URL(url, "http://localhost").pathname);
  } catch {
    return undefined;
  }
  const file = normalize(join(folder, path === "/" ? "index.html" : path));
  const isThere =
    file.startsWith(folder + sep) && statSync(file, { throwIfNoEntry: false })?.isFile();
  return isThere ? file : undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , folder, port = "0"] = process.argv;
  if (folder === undefined) throw new Error("usage: node workbench/serve.mjs FOLDER [PORT]");
  const { url } = await serve(resolve(folder), Number(port));
  console.log(`${url}\nTo end it: Ctrl-C`);
}
