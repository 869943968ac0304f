// The package in the hands of a server that is wrong: `/broken/KIND/NUMBER/` is its folder, and the
// module in it is bad as the kind says. `/csp/RULE/…` is served under such a policy.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const read = (path) => readFileSync(fileURLToPath(new URL(path, import.meta.url)));
const DIST = "../../wasm/dist/";
/** The scripts of the package for browsers. */
const SCRIPT = /(?<=^\/broken\/[^/]+\/[^/]+\/)(browser|web\/\w+)\.mjs$/;
/** How the names of imports begin; a hash of their types ends them. */
const IMPORT = "__wbg_getRandomValues_";

/** How a kind answers the request for `reseal.wasm`. */
const KINDS = {
  missing: (response) => response.writeHead(404).end("not found"),
  failing: (response) => response.writeHead(503).end("later"),
  page: (response) => send(response, Buffer.from("<!doctype html>an app"), "text/html"),
  empty: (response) => send(response, Buffer.alloc(0)),
  cut: (response, wasm) => send(response, wasm.subarray(0, wasm.length / 2)),
  damaged: (response, wasm) => send(response, flipped(wasm)),
  older: (response, wasm) => send(response, renamed(wasm)),
  other: (response) => send(response, Buffer.from([0, 97, 115, 109, 1, 0, 0, 0])),
  "broken-off": (response, wasm) => {
    response.writeHead(200, { "content-type": "application/wasm", "content-length": wasm.length });
    response.write(wasm.subarray(0, 1000), () => response.destroy());
  },
  "text-type": (response, wasm) => send(response, wasm, "text/plain"),
  "no-type": (response, wasm) => response.writeHead(200).end(wasm),
};

const POLICIES = {
  "no-wasm": "script-src 'self'",
  "no-fetch": "script-src 'self' 'wasm-unsafe-eval'; connect-src 'none'",
  "with-wasm": "script-src 'self' 'wasm-unsafe-eval'",
};
const PROBES = {
  "frame.html": "text/html",
  "frame.mjs": "text/javascript",
  "worker.mjs": "text/javascript",
};
/** Those that have failed once. */
const seen = new Set();

/** Answers what is asked of a bad server; false for any other path. */
export function answerBadly(path, response) {
  const [, place, kind, ...rest] = path.split("/");
  const file = rest.at(-1);
  if (place === "csp") {
    return kind in POLICIES && file in PROBES && sendProbe(response, POLICIES[kind], file);
  }
  const script = SCRIPT.exec(path)?.[0];
  if (place !== "broken") return false;
  if (script !== undefined) send(response, read(`${DIST}${script}`), "text/javascript");
  else if (kind === "once") sendOnce(response, path);
  else if (kind in KINDS) KINDS[kind](response, read(`${DIST}reseal.wasm`));
  else return false;
  return true;
}

function sendProbe(response, policy, file) {
  const headers = { "content-type": PROBES[file], "content-security-policy": policy };
  response.writeHead(200, headers).end(read(`./probe/${file}`));
  return true;
}

function sendOnce(response, path) {
  if (seen.has(path)) return send(response, read(`${DIST}reseal.wasm`));
  seen.add(path);
  return KINDS.failing(response);
}

function send(response, bytes, type = "application/wasm") {
  response.writeHead(200, { "content-type": type, "cache-control": "no-store" }).end(bytes);
}

/** Another number of sections than there are bytes for. */
function flipped(wasm) {
  const bytes = Buffer.from(wasm);
  bytes[9] ^= 0x55;
  return bytes;
}

/** A whole module of another build: it asks for an import that is not there. */
function renamed(wasm) {
  const bytes = Buffer.from(wasm);
  const at = bytes.indexOf(IMPORT);
  if (at < 0) throw new Error(`reseal.wasm imports no ${IMPORT}`);
  bytes[at + IMPORT.length] ^= 1;
  return bytes;
}
