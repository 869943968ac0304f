// Makes the tables of n8n that hold encrypted values, and fills them under N8N_ENCRYPTION_KEY: half of the
// values are from before n8n's key rotation was turned on, half from after it. The keys and values in real.json
// were written by n8n's own code. `fill.mjs new-key` makes a data key, as n8n does when it is asked for one.
import { randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { connected, note } from "../guide.mjs";
import { encryptCbc, encryptGcm, unwrap, wrap } from "./n8n.mjs";

const TABLES = `
CREATE TABLE credentials_entity (
  id varchar(36) PRIMARY KEY, name varchar(128) NOT NULL, data text NOT NULL,
  type varchar(128) NOT NULL, "createdAt" timestamptz(3) NOT NULL DEFAULT now(),
  "updatedAt" timestamptz(3) NOT NULL DEFAULT now(), "isManaged" boolean NOT NULL DEFAULT false);
CREATE TABLE settings (
  key varchar(255) PRIMARY KEY, value text NOT NULL, "loadOnStartup" boolean NOT NULL DEFAULT false);
CREATE TABLE "user" (
  id uuid PRIMARY KEY, email varchar(255), "mfaEnabled" boolean NOT NULL DEFAULT false,
  "mfaSecret" text, "mfaRecoveryCodes" text);
CREATE TABLE deployment_key (
  id varchar(36) PRIMARY KEY, type varchar(64) NOT NULL, value text NOT NULL, algorithm varchar(20),
  status varchar(20) NOT NULL, "createdAt" timestamptz(3) NOT NULL DEFAULT now(),
  "updatedAt" timestamptz(3) NOT NULL DEFAULT now());
CREATE UNIQUE INDEX one_active ON deployment_key (type)
  WHERE type = 'data_encryption' AND status = 'active';
`;
const INSERT_KEY =
  "INSERT INTO deployment_key (id, type, value, algorithm, status) VALUES ($1, $2, $3, $4, $5)";
const instanceKey = process.env.N8N_ENCRYPTION_KEY;
const DATA = "credentials_entity.data";

await connected(process.argv[2] === "new-key" ? newKey : fill);

async function fill(db) {
  const real = JSON.parse(readFileSync("real.json", "utf8"));
  if (instanceKey !== real.instance_key) throw new Error("the keys are of another instance key");
  await db.query(TABLES);
  for (const { id, type, value, algorithm, status } of real.deployment_key) {
    await db.query(INSERT_KEY, [id, type, value, algorithm, status]);
  }
  const signing = wrap(randomBytes(32).toString("hex"), instanceKey);
  await db.query(INSERT_KEY, ["hmac", "signing.hmac", signing, "aes-256-gcm", "active"]);
  await db.query(INSERT_KEY, ["instance", "instance.id", randomUUID(), null, "active"]);

  const active = real.deployment_key.find(({ status }) => status === "active");
  const dataKey = unwrap(active.value, instanceKey);
  let made = 0;
  const encrypt = (text) => {
    made += 1;
    if (made % 2) return encryptCbc(text, instanceKey);
    return `${active.id}:${encryptGcm(text, dataKey)}`;
  };
  const known = { [DATA]: {}, "user.mfaSecret": {}, "user.mfaRecoveryCodes": {} };
  const credential = (id, text, stored) => {
    known[DATA][id] = JSON.parse(text);
    const values = [id, `credential ${id}`, stored, "httpBasicAuth"];
    const sql = "INSERT INTO credentials_entity (id, name, data, type) VALUES ($1, $2, $3, $4)";
    return db.query(sql, values);
  };
  for (let n = 1; n <= 197; n += 1) {
    const id = `credential${String(n).padStart(6, "0")}`;
    const text = JSON.stringify(credentialOf(n));
    await credential(id, text, encrypt(text));
  }
  const settings = {
    "features.ldap": ["bindingAdminPassword", { loginEnabled: true, bindingAdminDn: "cn=n8n" }],
    "features.oidc": ["clientSecret", { clientId: "n8n", loginEnabled: false }],
    "features.sourceControl.sshKeys": ["encryptedPrivateKey", { publicKey: "ssh-ed25519 AAAA" }],
  };
  const stored = new Map(real.values.map((value) => [value.row, value]));
  for (const [key, [member, document]] of Object.entries(settings)) {
    const text = stored.get(key)?.plaintext ?? `-----BEGIN KEY-----\n${"é".repeat(700)}\n`;
    document[member] = stored.get(key)?.stored ?? encrypt(text);
    known[`settings.value.${member}`] = { [key]: text };
    const sql = "INSERT INTO settings (key, value) VALUES ($1, $2)";
    await db.query(sql, [key, JSON.stringify(document)]);
  }
  await db.query(
    "INSERT INTO settings (key, value) VALUES ('userManagement.isInstanceOwnerSetUp', 'true')",
  );
  for (const { column, row, plaintext, stored } of real.values) {
    if (column === DATA) await credential(row, plaintext, stored);
  }
  for (let n = 1; n <= 30; n += 1) {
    const id = randomUUID();
    const hasMfa = n % 3 !== 0;
    const secret = hasMfa ? `JBSWY3DPEHPK3PX${n}` : null;
    const codes = hasMfa ? Array.from({ length: n % 10 }, () => randomUUID()) : [];
    const sql = `INSERT INTO "user" (id, email, "mfaEnabled", "mfaSecret", "mfaRecoveryCodes")
      VALUES ($1, $2, $3, $4, $5)`;
    const sealed = [secret && encrypt(secret), codes.map(encrypt).join(",")];
    await db.query(sql, [id, `user${n}@example.com`, hasMfa, ...sealed]);
    known["user.mfaSecret"][id] = secret;
    known["user.mfaRecoveryCodes"][id] = codes;
  }
  note(known);
}

/** The secrets of one credential: short, long, empty, and in many scripts. */
function credentialOf(n) {
  if (n % 60 === 0) return {};
  const password = n % 40 === 0 ? "x".repeat(4000) : `пароль-${n} 🔑`;
  return { user: `user${n}`, password, note: n % 7 ? "" : "für später" };
}

/** As n8n, in one transaction: the new key is active, and the one before it is inactive. */
async function newKey(db) {
  const id = randomBytes(8).toString("hex");
  const value = wrap(randomBytes(32).toString("hex"), instanceKey);
  await db.query("BEGIN");
  await db.query(
    "UPDATE deployment_key SET status = 'inactive' WHERE type = 'data_encryption' AND status = 'active'",
  );
  await db.query(INSERT_KEY, [id, "data_encryption", value, "aes-256-gcm", "active"]);
  await db.query("COMMIT");
  console.log("made a data key");
}
