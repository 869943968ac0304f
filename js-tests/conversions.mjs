// Values through all pairs of codecs: plain, A, B and plain again, by Column.reseal alone.
//
//   node conversions.mjs move FILE      brings every value from each codec to each other one, as JSON lines
//   node conversions.mjs back IN FILE   opens what another language moved, and brings it back
//   node conversions.mjs check FILE     opens what another language brought back, and makes it plain again
//
// The same program stands in py-tests/conversions.py.
import { readFileSync, writeFileSync } from "node:fs";
import { Cases, Refusal, same } from "./fixtures/conversions.mjs";

const cases = new Cases();
const [command, ...rest] = process.argv.slice(2);
if (command === "move" && rest.length === 1) write(rest[0], cases.pairs().map(movedLine));
else if (command === "back" && rest.length === 2) process.exitCode = back(...rest) ? 0 : 1;
else if (command === "check" && rest.length === 1) process.exitCode = check(rest[0]) ? 0 : 1;
else throw new Error("usage: conversions.mjs move FILE | back IN FILE | check FILE");

/** Each value as A's, made B's. */
function movedLine(pair) {
  return lineOf(
    pair,
    cases.values.map((value) => cases.through(pair, value)),
  );
}

/** Opens what came from A to B, and reseals it to A. A refusal has to be that of this language. */
function back(from, file) {
  const count = { passed: 0, failed: 0 };
  const lines = pairsOf(from).map(([pair, items]) => {
    const way = { form: pair.form, source: pair.target, target: pair.source };
    const turned = items.map((item, at) => {
      const value = cases.values[at];
      if (item instanceof Refusal) return noted(count, isRefused(pair, value, item), item);
      const good = cases.opens(pair.form, value, pair.target, item);
      const moved = cases.move(way, value, item);
      return noted(count, good && moved instanceof Refusal === cases.nests(way, value), moved);
    });
    return lineOf(pair, turned);
  });
  write(file, lines);
  return show(from, count);
}

/** Opens what is A's again, and makes it plain text. */
function check(file) {
  const count = { passed: 0, failed: 0 };
  for (const [pair, items] of pairsOf(file)) {
    items.forEach((item, at) => noted(count, checked(pair, cases.values[at], item)));
  }
  return show(file, count);
}

function checked(pair, value, item) {
  const { form, source, target } = pair;
  if (item instanceof Refusal) {
    const isNested = cases.nests({ form, source: target, target: source }, value);
    return (isNested && item.code === "double-encrypted") || isRefused(pair, value, item);
  }
  const plain = cases.leave(form, value, source, item);
  const own = cases.leave(form, value, source, cases.enter(form, value, source));
  const alike = own instanceof Refusal ? plain.code === own.code : same(plain, own);
  return cases.opens(form, value, source, item) && alike;
}

function isRefused(pair, value, { code }) {
  return cases.through(pair, value).code === code;
}

/** The lines of a file, which has every pair in the order of the fixture. */
function pairsOf(file) {
  const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
  const pairs = cases.pairs();
  if (lines.length !== pairs.length) throw new Error(`${file} has ${lines.length} pairs`);
  return lines.map((text, at) => {
    const line = JSON.parse(text);
    const pair = pairs[at];
    const fits = ["form", "source", "target"].every((name) => line[name] === pair[name]);
    if (!fits || line.items.length !== cases.values.length) throw new Error(`${file}: line ${at}`);
    return [pair, line.items.map(read)];
  });
}

/** What stands in a file: text, bytes in hexadecimal, or the code of a refusal. */
function lineOf(pair, items) {
  return JSON.stringify({ ...pair, items: items.map(spelled) });
}

function spelled(stored) {
  if (stored instanceof Refusal) return { refused: stored.code };
  return typeof stored === "string" ? stored : { hex: Buffer.from(stored).toString("hex") };
}

function read(item) {
  if (typeof item === "string") return item;
  return item.hex === undefined ? new Refusal(item.refused) : Buffer.from(item.hex, "hex");
}

function write(file, lines) {
  writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
}

function noted(count, good, result) {
  count[good ? "passed" : "failed"] += 1;
  return result;
}

function show(what, { passed, failed }) {
  console.log(`node ${what} run=${passed + failed} passed=${passed} failed=${failed}`);
  return passed > 0 && failed === 0;
}
