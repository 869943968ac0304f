// CommonJS, beside an ES module that loads the same package: each has a module of its own, and the
// stored values are the same.
const assert = require("node:assert/strict");
const { Key, Keyring, Manifest, ResealError } = require("reseal");
const { census } = require("reseal/jobs");

const key = Key.generate();
const ring = new Keyring({ primary: key });
const stored = ring.seal("x", { row: 1 });
assert.equal(ring.openString(stored, { row: 1 }), "x");
assert.throws(() => ring.open(stored, {}), ResealError);

import("reseal").then(async (module) => {
  const other = new module.Keyring({ primary: key.export() });
  assert.equal(other.openString(stored, { row: 1 }), "x");
  const manifest = Manifest.parse("version = 1");
  await assert.rejects(census("sqlite:///nowhere.db", { manifest }), (error) => {
    return error instanceof ResealError && error.code === "database-error";
  });
  console.log("all good");
});
