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
  const { value } = column.open(one.input);
  if (one.type === "json") return givesJson(one, value, column);
  equal(String(value), one.canonical, "the opened value");
  equal(column.seal(value), one.canonical, "the sealed value");
  if (typeof value === "string") equal(column.seal(one.input), one.canonical, "the spelling");
}

/** In mode deterministic the spelling is canonical, otherwise that of the producer. */
function givesJson(one, value, column) {
  equal(value, JSON.parse(one.canonical), "the opened value");
  if (value === null) return equal(column.seal(value), null, "null");
  if (one.mode === "deterministic") equal(column.seal(value), one.canonical, "the sealed value");
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
