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
import { measure, show } from "./lib/rounds.mjs";

const { values: options } = parseArgs({
  options: {
    json: { type: "string" },
    rounds: { type: "string", default: "15" },
    sizes: { type: "string", default: "16,64,256,1024,4096,65536" },
  },
});
const ROUNDS = Number(options.rounds);
const SIZES = options.sizes.split(",").map(Number);
const BATCH = 1000;

const context = { table: "users", column: "email", row: 42 };
const aad = randomBytes(66);
const secret = randomBytes(32);
const nodeKey = createSecretKey(secret);
const ring = new Keyring({ primary: Key.generate() });

const table = [];
for (const size of SIZES) {
  const value = new Uint8Array(randomBytes(size));
  measureSize(size, "seal", {
    reseal: () => ring.seal(value, context),
    "node:crypto": () => nodeSeal(value),
    noble: () => nobleSeal(value),
  });
  const stored = ring.seal(value, context);
  const [nodeText, nobleText] = [nodeSeal(value), nobleSeal(value)];
  measureSize(size, "open", {
    reseal: () => ring.open(stored, context),
    "node:crypto": () => nodeOpen(nodeText),
    noble: () => nobleOpen(nobleText),
  });
  const count = Math.max(1, Math.min(BATCH, Math.floor(4_000_000 / size)));
  const values = Array.from({ length: count }, () => new Uint8Array(randomBytes(size)));
  const texts = ring.sealMany(values, context);
  measureSize(size, "sealMany", {
    reseal: [() => ring.sealMany(values, context), count],
    "node:crypto": () => nodeSeal(value),
  });
  measureSize(size, "openMany", {
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

function measureSize(size, call, peers) {
  table.push({ size, call, ...measure(peers, "reseal", ROUNDS) });
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
