// An ES module that uses the package as the README says.
import assert from "node:assert/strict";
import { inspect, Key, Keyring, Manifest, ResealError, toBinary, toText, version } from "reseal";
import { census } from "reseal/jobs";

const old = Key.generate();
const before = new Keyring({ primary: old });
const context = { table: "users", column: "ssn", row: 42 };
const stored = before.seal("078-05-1120", context);

const fresh = Key.generate();
const ring = new Keyring({ primary: fresh, decryptOnly: [old.export()] });
assert.equal(ring.openString(stored, context), "078-05-1120");
const resealed = ring.reseal(stored, context);
assert.equal(inspect(resealed).keyId, fresh.id);
assert.equal(toText(toBinary(resealed)), resealed);
assert.throws(() => ring.open(resealed, { ...context, row: 43 }), ResealError);
const field = ring.field({ table: "users", column: "ssn" });
const many = field.sealMany(["a", "b"], { rows: [1, 2] });
assert.deepEqual(field.openManyString(many, { rows: [1, 2] }), ["a", "b"]);
const fromEnv = Keyring.fromEnv({ RESEAL_PRIMARY_KEY: fresh.export() });
assert.equal(fromEnv.primaryId, fresh.id);
assert.match(version, /^\d+\.\d+\.\d+/);
ring[Symbol.dispose]();
assert.throws(() => ring.seal("x", {}), { code: "invalid-argument" });
// Errors of jobs are of the same classes, and the manifest is the one of the package.
const manifest = Manifest.parse("version = 1");
await assert.rejects(census("sqlite:///nowhere.db", { manifest }), (error) => {
  return error instanceof ResealError && error.code === "database-error";
});
console.log("all good");
