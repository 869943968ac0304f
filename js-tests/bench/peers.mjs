// How quick is it? `node bench/peers.mjs [--json FILE] [--rounds N] [--sizes 16,64]`
//
// Every peer runs in every round, in turns, and the table shows medians over the rounds, so that a
// busy machine disturbs all alike. Both sides bind 66 bytes of associated data, draw their own
// nonce, and write or read base64url text. Nothing is asserted: a test that fails on a slow
// machine teaches people to ignore it.
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { gcm } from "@noble/ciphers/aes.js";
import { Key, Keyring, version } from "reseal";

const { values: options } = parseArgs({
  options: {
    json: { type: "string" },
    rounds: { type: "string", default: "15" },
    sizes: { type: "string", default: "16,64,256,1024,4096,65536" },
  },
});
const ROUNDS = Number(options.rounds);
const SIZES = options.sizes.split(",").map(Number);
/** Time that one peer gets in one round. */
const ROUND_MS = 25;
const BATCH = 1000;

const context = { table: "users", column: "email", row: 42 };
const aad = randomBytes(66);
const secret = randomBytes(32);
const nodeKey = createSecretKey(secret);
const ring = new Keyring({ primary: Key.generate() });

const table = [];
for (const size of SIZES) {
  const value = new Uint8Array(randomBytes(size));
  measure(size, "seal", {
    reseal: () => ring.seal(value, context),
    "node:crypto": () => nodeSeal(value),
    noble: () => nobleSeal(value),
  });
  const stored = ring.seal(value, context);
  const [nodeText, nobleText] = [nodeSeal(value), nobleSeal(value)];
  measure(size, "open", {
    reseal: () => ring.open(stored, context),
    "node:crypto": () => nodeOpen(nodeText),
    noble: () => nobleOpen(nobleText),
  });
  const count = Math.max(1, Math.min(BATCH, Math.floor(4_000_000 / size)));
  const values = Array.from({ length: count }, () => new Uint8Array(randomBytes(size)));
  const texts = ring.sealMany(values, context);
  measure(size, "sealMany", {
    reseal: [() => ring.sealMany(values, context), count],
    "node:crypto": () => nodeSeal(value),
  });
  measure(size, "openMany", {
    reseal: [() => ring.openMany(texts, context), count],
    "node:crypto": () => nodeOpen(nodeText),
  });
}

const lines = [
  `reseal ${version}, Node ${process.version}, ${ROUNDS} rounds; microseconds per value, and how many times the peer's`,
  "",
  "| bytes | call | reseal | node:crypto | ratio | @noble/ciphers | ratio |",
  "|---:|---|---:|---:|---:|---:|---:|",
  ...table.map(({ size, call, micros, ratios }) => {
    const peer = (name) => [show(micros[name]), show(ratios[name])];
    const cells = [size, call, show(micros.reseal), ...peer("node:crypto"), ...peer("noble")];
    return `| ${cells.join(" | ")} |`;
  }),
];
console.log(lines.join("\n"));
if (options.json !== undefined) {
  const report = { version, node: process.version, rounds: ROUNDS, results: table };
  writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
}

/** Runs the peers in turns and keeps medians: of microseconds, and of the ratios within a round. */
function measure(size, call, peers) {
  const tasks = Object.entries(peers).map(([name, given]) => {
    const [run, each] = Array.isArray(given) ? given : [given, 1];
    const times = timed(run, 3) < 1 ? 3 : 1;
    const once = Math.max(timed(run, times) / times, 1e-6);
    return { name, run, each, times: Math.max(1, Math.ceil(ROUND_MS / once)), micros: [] };
  });
  // The first estimate came from cold code.
  for (const task of tasks) {
    const warm = timed(task.run, task.times) / task.times;
    task.times = Math.max(1, Math.ceil(ROUND_MS / warm));
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const task of tasks) {
      task.micros.push((timed(task.run, task.times) * 1000) / task.times / task.each);
    }
  }
  const ours = tasks.find(({ name }) => name === "reseal").micros;
  const micros = {};
  const ratios = {};
  for (const { name, micros: theirs } of tasks) {
    micros[name] = median(theirs);
    if (name !== "reseal") ratios[name] = median(theirs.map((time, i) => ours[i] / time));
  }
  table.push({ size, call, micros, ratios });
}

function timed(run, times) {
  const start = performance.now();
  for (let i = 0; i < times; i++) run();
  return performance.now() - start;
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function show(number) {
  return number === undefined ? "" : number.toFixed(number < 100 ? 2 : 0);
}

function nodeSeal(value) {
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", nodeKey, iv);
  cipher.setAAD(aad);
  const parts = [iv, cipher.update(value), cipher.final(), cipher.getAuthTag()];
  return Buffer.concat(parts).toString("base64url");
}

function nodeOpen(text) {
  const sealed = Buffer.from(text, "base64url");
  const end = sealed.length - 16;
  const decipher = createDecipheriv("aes-256-gcm", nodeKey, sealed.subarray(0, 12));
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(end));
  return Buffer.concat([decipher.update(sealed.subarray(12, end)), decipher.final()]);
}

function nobleSeal(value) {
  const iv = randomBytes(12);
  const sealed = gcm(secret, iv, aad).encrypt(value);
  return Buffer.concat([iv, sealed]).toString("base64url");
}

function nobleOpen(text) {
  const sealed = Buffer.from(text, "base64url");
  return gcm(secret, sealed.subarray(0, 12), aad).decrypt(sealed.subarray(12));
}
