// Reads the tables as n8n does, with N8N_ENCRYPTION_KEY, and compares every value. `check.mjs legacy` reads as
// versions do that know no data keys. It shares no code with Reseal.
import { compare, connected } from "../guide.mjs";
import { decryptCbc, decryptGcm, unwrap } from "./n8n.mjs";

const MEMBERS = {
  "features.ldap": "bindingAdminPassword",
  "features.oidc": "clientSecret",
  "features.sourceControl.sshKeys": "encryptedPrivateKey",
};
const instanceKey = process.env.N8N_ENCRYPTION_KEY;
const isLegacy = process.argv[2] === "legacy";

try {
  await connected(check);
} catch (error) {
  console.log(`n8n cannot read a value: ${error.message}`);
  process.exitCode = 1;
}

async function check(db) {
  const rowsOf = async (sql) => (await db.query(sql)).rows;
  const keys = isLegacy ? [] : await rowsOf("SELECT * FROM deployment_key");
  const decrypt = readerOf(keys);
  const found = {};
  const put = (name, row, value) => ((found[name] ??= {})[row] = value);
  for (const { id, data } of await rowsOf("SELECT id, data FROM credentials_entity")) {
    put("credentials_entity.data", id, JSON.parse(decrypt(data)));
  }
  for (const { key, value } of await rowsOf("SELECT key, value FROM settings")) {
    const member = MEMBERS[key];
    if (member) put(`settings.value.${member}`, key, decrypt(JSON.parse(value)[member]));
  }
  for (const { id, mfaSecret, mfaRecoveryCodes } of await rowsOf('SELECT * FROM "user"')) {
    put("user.mfaSecret", id, mfaSecret === null ? null : decrypt(mfaSecret));
    // An empty text is an empty list.
    const codes = mfaRecoveryCodes === "" ? [] : mfaRecoveryCodes.split(",");
    put("user.mfaRecoveryCodes", id, codes.map(decrypt));
  }
  compare("n8n", found);
}

/** What decrypts a value: a data key by the id before the colon, or the key for values without one. */
function readerOf(rows) {
  const secrets = rows.filter(({ algorithm }) => algorithm !== null);
  const keys = new Map(secrets.map((row) => [row.id, { ...row, key: unwrapped(row) }]));
  const dataKeys = [...keys.values()].filter(({ type }) => type === "data_encryption");
  const legacy = dataKeys.find(({ algorithm }) => algorithm === "aes-256-cbc")?.key ?? instanceKey;
  return (stored) => {
    const [id, body] = stored.split(":");
    if (body === undefined) return decryptCbc(stored, legacy);
    const row = dataKeys.find((it) => it.id === id);
    if (row === undefined) throw new Error("Encryption key not found!");
    return row.algorithm === "aes-256-gcm" ? decryptGcm(body, row.key) : decryptCbc(body, row.key);
  };
}

function unwrapped({ value }) {
  try {
    return unwrap(value, instanceKey);
  } catch {
    throw new Error("a key is wrapped under another instance key");
  }
}
