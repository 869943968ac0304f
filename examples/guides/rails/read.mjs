// The application in JavaScript, which reads through Reseal: every value, and each user by e-mail address.
import { readFileSync } from "node:fs";
import { LiveKeyring, Manifest } from "reseal";
import { connected, read } from "../guide.mjs";

const manifest = Manifest.load();
await read(manifest);
const lookups = lookupsOf("users", "email");
const known = JSON.parse(readFileSync("known.json", "utf8"));
const addresses = Object.values(known["users.email"]).filter(Boolean);
await connected(async (db) => {
  for (const text of addresses) {
    const wanted = lookups.flatMap((lookup) => lookup(text));
    const { rows } = await db.query("SELECT id FROM users WHERE email = ANY($1)", [wanted]);
    if (rows.length !== 1) throw new Error("an address is not found by its value");
  }
});
console.log(`node: ${addresses.length} addresses found`);

/** For each format that the column may hold: what a value would be stored as. */
function lookupsOf(table, column) {
  const spec = manifest.columns.find((it) => it.table === table && it.column === column);
  const kinds = new Map(manifest.codecs.map(({ name, kind }) => [name, kind]));
  return [spec.write, ...spec.read].map((name) => {
    if (kinds.get(name) === "plain") return (text) => [text];
    if (kinds.get(name) === "reseal") {
      const ring = LiveKeyring.fromEnv();
      return (text) => ring.lookupValues(text, spec.context);
    }
    const codec = manifest.codec(name);
    return (text) => [codec.seal(text)];
  });
}
