const assert = require("node:assert/strict");
const { Key, Keyring, version } = require("reseal");

const ring = new Keyring({ primary: Key.generate("data") });
const context = { table: "users", column: "ssn", row: 42 };
assert.equal(ring.openString(ring.seal("078-05-1120", context), context), "078-05-1120");
console.log(`reseal ${version}, CommonJS, Node ${process.version}`);
