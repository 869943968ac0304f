// Reads the profiles as Freeboard does, with CREDENTIAL_ENCRYPTION_KEY, and compares each secret. It
// shares no code with Reseal.
import { compare, connected } from "../guide.mjs";
import { decrypt, isEncrypted, keyOf } from "./freeboard.mjs";

const key = keyOf("CREDENTIAL_ENCRYPTION_KEY");
const { rows } = await connected((db) => db.query("SELECT id, secret FROM credential_profiles"));
const found = {};
for (const { id, secret } of rows.filter((row) => isEncrypted(row.secret))) {
  try {
    found[id] = decrypt(secret, key);
  } catch {
    console.log(`Freeboard cannot read ${id}: the key is not the right one`);
    process.exit(1);
  }
}
compare("freeboard", { "credential_profiles.secret": found });
