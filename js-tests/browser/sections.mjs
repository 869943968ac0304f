// All that runs in the page, in the worker and in Node, section by section.
import { digestOf, propertiesOf } from "../properties/properties.mjs";
import { Report } from "../vectors/report.mjs";
import { runDocument } from "../vectors/shapes.mjs";
import { testkitOf } from "../vectors/testkit.mjs";
import { runFace } from "./face.mjs";

/** The page runs the short accumulated hash, also where the long one is asked for. */
const ITERATIONS = 10_000;

/**
 * The vectors, a file at a time: which section it is of, its name, its report, its milliseconds.
 *
 * @param {object} tools `reseal`, initialized; `testkit`, its module; `files`, with `name` and `read()`
 */
export async function* runVectors({ reseal, testkit, files }) {
  const kit = { reseal, testkit: testkitOf(testkit), iterations: ITERATIONS };
  for (const { name, read } of files) {
    yield part("vectors", name, async () => runDocument(await read(), kit));
  }
}

/** Round trips and properties: of the entry of browsers, over so many values each. */
export async function* runOwn({ reseal, fc, runs }) {
  yield part("face", "round trips and refusals", () => runFace(reseal));
  yield* runProperties(fc, reseal, runs);
}

/** A part that breaks is a part with a failure. */
export async function part(section, name, run) {
  const start = performance.now();
  let report;
  try {
    report = await run();
  } catch (error) {
    report = new Report();
    report.case("running it", () => {
      throw error;
    });
  }
  const { passed, failed, leftOut } = report;
  return { section, name, passed, failed, leftOut, ms: performance.now() - start };
}

/** The line of a part, without where it ran. */
export function lineOf({ name, passed, failed, leftOut }) {
  return Object.assign(new Report(), { passed, failed, leftOut }).lines("", name)[0].trim();
}

async function* runProperties(fc, reseal, runs) {
  for (const [name, property] of Object.entries(propertiesOf(fc, reseal))) {
    const report = new Report();
    yield part("properties", name, () => {
      report.case("a counterexample", () => fc.assert(property, { numRuns: runs }));
      return report;
    });
  }
  // The digest is in the name, so that it is compared with that of Node.
  const digest = await digestOf(fc, reseal).catch((error) => `failed: ${error.message}`);
  yield part("properties", `the bytes of one seed, digest ${digest}`, () => {
    const report = new Report();
    report.case("the digest", () => {
      if (!/^[0-9a-f]{64}$/.test(digest)) throw new Error(digest);
    });
    return report;
  });
}
