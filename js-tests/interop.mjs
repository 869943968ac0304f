// What each language seals, the others open.
//
//   node interop.mjs seal COUNT SEED FILE   writes random values, contexts and modes as JSON lines
//   node interop.mjs open FILE…             opens and compares every one
//
// The same program stands in testkit/src/bin/interop.rs and py-tests/interop.py.
import { readFileSync, writeFileSync } from "node:fs";
import { Key, Keyring, ResealError, toBinary, toText } from "reseal";
import { fromHex, toHex } from "./vectors/report.mjs";

const MODES = ["random", "deterministic", "padded"];
const NAMES = ["row", "a", "tenant_", "z9_"];
const LENGTHS = [0, 16, 64, 300, 5000];

const [command, ...rest] = process.argv.slice(2);
if (command === "seal" && rest.length === 3) seal(Number(rest[0]), Number(rest[1]), rest[2]);
else if (command === "open" && rest.length > 0) process.exitCode = open(rest) ? 0 : 1;
else throw new Error("usage: interop.mjs seal COUNT SEED FILE | interop.mjs open FILE…");

function seal(count, seed, file) {
  const random = randomOf(seed);
  const lines = Array.from({ length: count }, () => JSON.stringify(sealedLine(random)));
  writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
}

function sealedLine(random) {
  const key = Key.fromBytes("data", random.bytes(32));
  const pairs = Array.from({ length: random.below(17) }, (_, i) => {
    return [`${random.pick(NAMES)}${i}`, random.bytes(random.below(80))];
  });
  const context = Object.fromEntries(pairs);
  const mode = random.pick(MODES);
  const plaintext = random.bytes(random.below(random.pick(LENGTHS) + 1));
  const text = new Keyring({ primary: key }).seal(plaintext, context, mode);
  return {
    key_text: key.export(),
    mode,
    context: pairs.map(([name, value]) => [name, toHex(value)]),
    plaintext: toHex(plaintext),
    text,
    binary_hex: toHex(toBinary(text)),
  };
}

function open(files) {
  let good = true;
  for (const file of files) {
    const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
    const passed = lines.filter((line) => opens(JSON.parse(line))).length;
    const failed = lines.length - passed;
    console.log(`node ${file} run=${lines.length} passed=${passed} failed=${failed}`);
    good &&= passed > 0 && failed === 0;
  }
  return good;
}

function opens({ key_text, mode, context: pairs, plaintext, text, binary_hex }) {
  try {
    const ring = new Keyring({ primary: key_text });
    const context = Object.fromEntries(pairs.map(([name, value]) => [name, fromHex(value)]));
    const binary = fromHex(binary_hex);
    return (
      toHex(ring.open(text, context)) === plaintext &&
      toHex(ring.openBinary(binary, context)) === plaintext &&
      toText(binary) === text &&
      ring.isCurrent(text, mode) &&
      (mode !== "deterministic" || ring.lookupValues(fromHex(plaintext), context).join() === text)
    );
  } catch (error) {
    if (error instanceof ResealError) return false;
    throw error;
  }
}

/** Test data from a seed (SplitMix64, as in the other two programs' Rust). */
function randomOf(seed) {
  let state = BigInt(seed);
  const next = () => {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
    let z = BigInt.asUintN(64, (state ^ (state >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    return z ^ (z >> 31n);
  };
  const below = (bound) => Number(next() % BigInt(bound));
  return {
    below,
    pick: (list) => list[below(list.length)],
    bytes: (length) => Uint8Array.from({ length }, () => Number(next() & 0xffn)),
  };
}
