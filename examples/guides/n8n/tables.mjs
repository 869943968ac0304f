// What is special about n8n's tables: keys that stand in a table themselves, and recovery codes that stand
// in one text, with commas between them, into which no path of a manifest leads.
import { Column } from "reseal";

/** The rows of deployment_key, as the manifest wants them; none where n8n has no such table. */
export async function keyRows(db) {
  const { rows } = await db.query("SELECT to_regclass('deployment_key') AS found");
  if (rows[0].found === null) return [];
  const sql = "SELECT id, type, value, algorithm, status FROM deployment_key ORDER BY id";
  return (await db.query(sql)).rows;
}

/** A column for one recovery code, with the codecs of user.mfaSecret. */
export function codeColumn(manifest, rows) {
  const spec = manifest.columns.find(({ column }) => column === "mfaSecret");
  const codec = (name) => manifest.codec(name, { tables: { deployment_key: rows } });
  return new Column({
    write: codec(spec.write),
    read: spec.read.map(codec),
    context: { table: "user", column: "mfaRecoveryCodes" },
  });
}

/** For each user: the row id, the text as it is, and the codes in it. */
export async function codesOf(db) {
  const sql = `SELECT id, "mfaRecoveryCodes" AS text FROM "user" ORDER BY id`;
  const { rows } = await db.query(sql);
  return rows.map(({ id, text }) => ({ id, text, codes: text === "" ? [] : text.split(",") }));
}
