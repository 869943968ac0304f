// What do keysets cost? `node bench/keysets.mjs [--json FILE] [--rounds N]`
//
// To load one of 100 keys, beside the same ring from 100 key texts; and to seal through a ring that
// follows a keyset, beside a plain ring of the same keys. As in peers.mjs the ways run in turns, and
// nothing is asserted.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Key, Keyring, Keyset, KeysetFile, LiveKeyring, version } from "reseal";
import { measure, show } from "./lib/rounds.mjs";

const { values: options } = parseArgs({
  options: { json: { type: "string" }, rounds: { type: "string", default: "41" } },
});
const ROUNDS = Number(options.rounds);
const KEYS = 100;

const folder = mkdtempSync(join(tmpdir(), "reseal-bench-"));
const path = join(folder, "keyset.json");
const kek = Key.generate("kek");
const texts = makeKeyset();
const document = readFileSync(path, "utf8");

const context = { table: "users", column: "email", row: 42 };
const value = new Uint8Array(16).fill(120);
const plain = Keyring.fromKeyset(path, { kek });
const live = LiveKeyring.fromKeyset(path, { kek });
const [plainField, liveField] = [plain.field(context), live.field(context)];
const stored = plain.seal(value, context);
if (live.openString(stored, context).length !== 16) throw new Error("the two rings differ");

const table = [];
compare("load 100 keys", {
  KeysetFile: () => Keyring.fromKeyset(path, { kek }).dispose(),
  Keyset: () => loaded().dispose(),
  "100 key texts": () => new Keyring({ primary: texts[0], decryptOnly: texts.slice(1) }).dispose(),
});
compare("look at 100 keys, unchanged", {
  LiveKeyring: () => live.refresh(),
  KeysetFile: () => Keyring.fromKeyset(path, { kek }).dispose(),
});
compare("seal 16 bytes", {
  LiveKeyring: () => live.seal(value, context),
  Keyring: () => plain.seal(value, context),
});
compare("seal 16 bytes, as a field", {
  LiveKeyring: () => liveField.seal(value),
  Keyring: () => plainField.seal(value),
});
compare("open 16 bytes", {
  LiveKeyring: () => live.open(stored, context),
  Keyring: () => plain.open(stored, context),
});

const lines = [
  `reseal ${version}, Node ${process.version}, ${ROUNDS} rounds`,
  "",
  "| operation | way | µs | time of the first way / time of it |",
  "|---|---|---:|---:|",
  ...table.map(({ operation, way, microseconds, ratio }) => {
    return `| ${operation} | ${way} | ${show(microseconds)} | ${ratio.toFixed(3)} |`;
  }),
];
console.log(lines.join("\n"));
if (options.json !== undefined) {
  const report = { version, node: process.version, rounds: ROUNDS, results: table };
  writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
}
rmSync(folder, { recursive: true });

function compare(operation, ways) {
  const [first] = Object.keys(ways);
  const { micros, ratios } = measure(ways, first, ROUNDS);
  for (const [way, microseconds] of Object.entries(micros)) {
    table.push({ operation, way, microseconds, ratio: ratios[way] ?? 1 });
  }
}

/** Puts a keyset into the file, and gives the key texts, that of the primary first. */
function makeKeyset() {
  const keyset = Keyset.create({ kek, leaseSeconds: 3600 });
  for (let number = 0; number < KEYS; number++) {
    keyset.rotate("data", { label: `rotation ${number}`, early: true });
  }
  new KeysetFile(path, { kek }).create(keyset);
  const { [keyset.primaryId]: primary, ...others } = keyset.exportKeys();
  return [primary, ...Object.values(others)];
}

function loaded() {
  const keyset = Keyset.load(document, { kek });
  const ring = keyset.keyring();
  keyset.dispose();
  return ring;
}
