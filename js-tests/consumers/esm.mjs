import assert from "node:assert/strict";
import { Key, Keyring, version } from "reseal";

const ring = new Keyring({ primary: Key.generate("data") });
const context = { table: "users", column: "ssn", row: 42 };
assert.equal(ring.openString(ring.seal("078-05-1120", context), context), "078-05-1120");
console.log(`reseal ${version}, ESM, Node ${process.version}`);
