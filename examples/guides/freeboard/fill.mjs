// Makes Freeboard's table of credential profiles, and fills it under CREDENTIAL_ENCRYPTION_KEY. The
// secrets in real.json were written by Freeboard's own code. With a name, `fill.mjs late`, it adds one
// profile, as the API does that still has the key.
import { copyFileSync, readFileSync } from "node:fs";
import { connected, note, noted } from "../guide.mjs";
import { encrypt, keyOf } from "./freeboard.mjs";

const COLUMN = "credential_profiles.secret";
const TABLE = `CREATE TABLE credential_profiles (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL DEFAULT '',
  type TEXT NOT NULL DEFAULT 'none' CHECK (type IN ('none', 'header', 'bearer', 'basic')),
  allow_public_use BOOLEAN NOT NULL DEFAULT FALSE,
  metadata JSONB NOT NULL DEFAULT '{}'::jsonb,
  secret JSONB NOT NULL DEFAULT '{}'::jsonb,
  created_by TEXT,
  updated_by TEXT,
  created_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
  updated_at TIMESTAMPTZ NOT NULL DEFAULT NOW()
)`;
const INSERT = "INSERT INTO credential_profiles (id, name, type, secret) VALUES ($1, $1, $2, $3)";

const key = keyOf("CREDENTIAL_ENCRYPTION_KEY");
const [late] = process.argv.slice(2);
await connected(late === undefined ? fill : (db) => add(db, late));

async function fill(db) {
  const known = {};
  const put = (id, type, stored) => db.query(INSERT, [id, type, JSON.stringify(stored)]);
  await db.query(TABLE);
  for (let n = 3; n <= 200; n += 1) {
    const id = `profile-${String(n).padStart(3, "0")}`;
    const [type, secret] = secretOf(n);
    await put(id, type, encrypt(secret, key));
    known[id] = secret;
  }
  for (let n = 1; n <= 12; n += 1) await put(`empty-${n}`, "none", {});
  await put("foreign-2", "bearer", { token: "never encrypted" });
  await put("foreign-3", "basic", { username: "device", password: "neither" });
  for (const { row, plaintext, stored } of JSON.parse(readFileSync("real.json", "utf8"))) {
    await put(row, "basic", stored);
    if (plaintext !== undefined) known[row] = plaintext;
  }
  note({ [COLUMN]: known });
}

async function add(db, id) {
  const secret = { token: `saved by the API: ${id}` };
  await db.query(INSERT, [id, "bearer", JSON.stringify(encrypt(secret, key))]);
  const known = noted();
  copyFileSync("known.json", "known-before.json");
  note({ ...known, [COLUMN]: { ...known[COLUMN], [id]: secret } });
}

/** A type of profile and its secret: short, long, empty, and in many scripts. */
function secretOf(n) {
  if (n % 50 === 0) return ["bearer", { token: "x".repeat(3000) }];
  if (n % 40 === 0) return ["header", {}];
  if (n % 3 === 0) return ["header", { headerValue: `Clé d’accès ${n} 🔑` }];
  if (n % 3 === 1) return ["bearer", { token: `токен-${n}` }];
  return ["basic", { username: `device-${n}`, password: "" }];
}
