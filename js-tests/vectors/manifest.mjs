// The shape "reseal-manifest-v1": what a manifest says, or why it is refused.
import { known, Report } from "./report.mjs";
import { equal } from "./systems/support.mjs";

export function runManifests(file, tools) {
  known(file, ["format", "cases"], "the file");
  const report = new Report();
  for (const one of file.cases) report.case(one.id, () => check(one, tools.reseal));
  return report;
}

function check(one, reseal) {
  known(one, ["id", "toml", "valid", "invalid"], "the case");
  if ((one.valid === undefined) === (one.invalid === undefined)) {
    throw new Error("a case is valid or invalid");
  }
  if (one.valid === undefined) equal(refusal(one.toml, reseal), one.invalid, "the error");
  else equal(sorted(shown(reseal.Manifest.parse(one.toml))), sorted(one.valid), "the manifest");
}

function refusal(toml, { Manifest, ResealError }) {
  try {
    Manifest.parse(toml);
  } catch (error) {
    if (!(error instanceof ResealError)) throw error;
    return { code: error.code, message: error.message };
  }
  throw new Error("it passed, expected a refusal");
}

/** All that a manifest says, in the names of the file. */
function shown({ codecs, columns, warnings }) {
  return {
    codecs: codecs.map(snakeCase),
    columns: columns.map(({ where = null, path = null, ...others }) => {
      return { ...snakeCase(others), where, path };
    }),
    warnings: warnings.map(({ text }) => text),
  };
}

function snakeCase(object) {
  const snake = (name) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [snake(name), value]));
}

/** The members of all objects in one order, as equal objects have the same JSON then. */
function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, sorted(member)]));
}
