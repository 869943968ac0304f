import { expect, test } from "vitest";
import { version } from "reseal";
import manifest from "reseal/package.json" with { type: "json" };

test("the module has the version of the package", () => {
  expect(version).toBe(manifest.version);
});
