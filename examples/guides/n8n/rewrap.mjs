// Wraps the keys of n8n under N8N_ENCRYPTION_KEY_NEW. No key changes, and no value does.
//
//   rewrap.mjs           every row of deployment_key
//   rewrap.mjs legacy    has the aes-256-cbc row, which reads values without a prefix, hold N8N_ENCRYPTION_KEY
import { codecs } from "reseal";
import { connected, counted } from "../guide.mjs";
import { keyRows } from "./tables.mjs";

const { N8N_ENCRYPTION_KEY: instanceKey, N8N_ENCRYPTION_KEY_NEW: wanted } = process.env;
const isLegacy = process.argv[2] === "legacy";

await connected(async (db) => {
  let changed = 0;
  await db.query("BEGIN");
  for (const row of await keyRows(db)) {
    const value = renewed(row);
    if (value === row.value) continue;
    const sql = "UPDATE deployment_key SET value = $1 WHERE id = $2 AND value = $3";
    changed += (await db.query(sql, [value, row.id, row.value])).rowCount;
  }
  await db.query("COMMIT");
  console.log(`${counted(changed, "key")} wrapped`);
});

function renewed(row) {
  if (!isLegacy) return codecs.rewrapN8nRow(row, [instanceKey], wanted).value;
  if (row.algorithm !== "aes-256-cbc") return row.value;
  return codecs.N8nDataKey.fromText(instanceKey).wrap(instanceKey);
}
