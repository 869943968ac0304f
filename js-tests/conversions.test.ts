// Every value through every pair of codecs: the shared values, whose refusals stand in the fixture,
// and random ones.
import fc from "fast-check";
import { expect, test } from "vitest";
import { ResealError } from "reseal";
import { Cases } from "./fixtures/conversions.mjs";

const numRuns = process.env["RESEAL_ASSURE"] === undefined ? 10 : 500;
const cases = new Cases();
const pairs = cases.pairs();

type Pair = (typeof pairs)[number];
type Value = string | Uint8Array;

const name = fc.stringMatching(/^[a-f]{1,4}$/);
/** What every codec takes: a JSON object of less than 64 bytes. Bytes of 64 may be Metabase's. */
const document = fc.dictionary(
  name,
  fc.oneof(fc.nat({ max: 99 }), fc.constantFrom("é", "🌍", "")),
  { maxKeys: 3 },
);
const anything = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.uint8Array({ maxLength: 200 }),
);

test("the shared values through all pairs", () => {
  const found: Record<string, Record<string, Record<string, Record<string, number>>>> = {};
  cases.values.forEach((value, at) => {
    for (const pair of pairs) {
      const outcome = cases.outcome(pair, value);
      if (outcome === "ok") continue;
      // Who refuses, the first codec or the second, and in how many pairs.
      const known = outcome.startsWith("enter") ? pair.source : pair.target;
      const outcomes = ((found[String(at)] ??= {})[pair.form] ??= {});
      const counts = (outcomes[outcome] ??= {});
      counts[known] = (counts[known] ?? 0) + 1;
    }
  });
  expect(found).toEqual(cases.refused);
});

test("a document goes through all pairs", () => {
  fc.assert(
    fc.property(document, (document) => {
      const value = JSON.stringify(document);
      for (const pair of pairs) expect(cases.outcome(pair, value), JSON.stringify(pair)).toBe("ok");
    }),
    { numRuns },
  );
});

test("a column refuses to convert what it refuses to seal, and nothing else", () => {
  fc.assert(
    fc.property(
      anything.filter((value) => !marked(value)),
      (value) => {
        for (const pair of pairs) {
          expect(cases.outcome(pair, value), JSON.stringify(pair)).toBe(expected(pair, value));
        }
      },
    ),
    { numRuns },
  );
});

function expected({ form, source, target }: Pair, value: Value): string {
  const steps = [["enter", source], ["move", target], ["leave", "plain"]] as const; // prettier-ignore
  for (const [step, write] of steps) {
    try {
      cases.column(form, value, write).seal(value, { row: 1 });
    } catch (error) {
      if (error instanceof ResealError) return `${step} ${error.code}`;
      throw error;
    }
  }
  return "ok";
}

/** Whether some codec may take it for its own; the fixture has such values. */
function marked(value: Value): boolean {
  return [value, Buffer.from(value)].some((form) => cases.shows(form));
}
