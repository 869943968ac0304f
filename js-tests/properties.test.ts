// The properties, each over many values.
import fc from "fast-check";
import { expect, test } from "vitest";
import * as reseal from "reseal";
import { equal, refuses } from "./properties/checks.mjs";
import { digestOf, propertiesOf } from "./properties/properties.mjs";

const numRuns = process.env["RESEAL_ASSURE"] === undefined ? 1000 : 50_000;

test.each(Object.entries(propertiesOf(fc, reseal)))("%s", (_, property) => {
  fc.assert(property, { numRuns });
});

test("a seed always gives the same values", async () => {
  expect(await digestOf(fc, reseal)).toBe(await digestOf(fc, reseal));
});

test("the comparisons can fail", () => {
  const one = Uint8Array.of(1);
  expect(() => equal(one, Uint8Array.of(2))).toThrow("expected");
  expect(() => equal([one], [[1]])).toThrow("expected");
  expect(() => equal("1", 1)).toThrow("expected");
  expect(() => equal(undefined, null)).toThrow("expected");
  expect(() => refuses(reseal.ResealError, () => {})).toThrow("passed");
  expect(() =>
    refuses(reseal.ResealError, () => {
      throw new TypeError("another one");
    }),
  ).toThrow("another one");
});
