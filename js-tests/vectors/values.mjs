// The shape "values": typed values and their canonical spelling, through a column of plaintext.
import { Report } from "./report.mjs";
import { codeOf, equal } from "./systems/support.mjs";

export function runValues(file, { reseal }) {
  const report = new Report();
  for (const one of file.cases) {
    report.case(one.id, () => (one.canonical === undefined ? refuses : gives)(one, reseal));
  }
  return report;
}

function columnOf({ type, mode = "random" }, { Column, codecs }) {
  return new Column({ write: codecs.plain(), type, mode });
}

function gives(one, reseal) {
  const column = columnOf(one, reseal);
  if (one.type === "json") return givesJson(one, column, reseal);
  const { value } = column.open(one.input);
  equal(String(value), one.canonical, "the opened value");
  equal(column.seal(value), one.canonical, "the sealed value");
  if (typeof value === "string") equal(column.seal(one.input), one.canonical, "the spelling");
}

/** In mode deterministic the spelling is canonical, otherwise that of the producer. */
function givesJson(one, column, reseal) {
  equal(resealed(one, reseal), one.canonical, "the resealed document");
  if (isRounded(one.canonical)) {
    equal(
      codeOf(reseal, () => column.open(one.input), "it"),
      "value-invalid",
      "the code",
    );
    return;
  }
  const { value } = column.open(one.input);
  equal(value, JSON.parse(one.canonical), "the opened value");
  if (value === null) return equal(column.seal(value), null, "null");
  if (one.mode === "deterministic") equal(column.seal(value), one.canonical, "the sealed value");
}

/** What stands in the envelope of a document that was plaintext. */
function resealed({ type, mode = "random", input }, { Column, codecs, Key, Keyring }) {
  const ring = new Keyring({ primary: Key.generate() });
  const column = new Column({ write: codecs.reseal(ring), read: [codecs.plain()], type, mode });
  return ring.openString(column.reseal(input).value, {});
}

/** Whether a document is a number that JavaScript does not have. */
function isRounded(json) {
  const number = Number(json);
  if (Number.isNaN(number)) return false;
  if (!Number.isFinite(number)) return true;
  return /^-?[0-9]+$/.test(json) && BigInt(number) !== BigInt(json);
}

function refuses(one, reseal) {
  const column = columnOf(one, reseal);
  equal(
    codeOf(reseal, () => column.open(one.input), "it"),
    one.expect,
    "the code",
  );
  const isText = ["decimal", "date", "time", "timestamp", "uuid"].includes(one.type);
  if (isText)
    equal(
      codeOf(reseal, () => column.seal(one.input), "it"),
      one.expect,
      "the code",
    );
}
