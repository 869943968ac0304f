// What the programs of the guides share: the database, what its values are, and how an application
// reads them through Reseal. guide.py tells about known.json.
import { readFileSync, writeFileSync } from "node:fs";
import pg from "pg";

const KNOWN = "known.json";

/** A connection, for as long as it is used. */
export async function connected(use) {
  const db = new pg.Client({ connectionString: process.env.RESEAL_DATABASE_URL });
  await db.connect();
  try {
    return await use(db);
  } finally {
    await db.end();
  }
}

/** Says what the rows hold, by the name of the column and the ids of the rows. */
export function note(known) {
  writeFileSync(KNOWN, `${JSON.stringify(known, null, 1)}\n`);
  const values = Object.values(known).reduce((sum, rows) => sum + Object.keys(rows).length, 0);
  console.log(`made ${counted(values)}`);
}

/** What was said so far. */
export function noted() {
  return JSON.parse(readFileSync(KNOWN, "utf8"));
}

/** Fails unless the rows hold exactly what is known of them. */
export function compare(reader, found) {
  const known = noted();
  let values = 0;
  for (const [name, rows] of Object.entries(found)) {
    const ids = Object.keys(rows);
    if (ids.sort().join("\n") !== Object.keys(known[name]).sort().join("\n")) {
      throw new Error(`${name}: these are not the rows that were made`);
    }
    for (const row of ids) {
      const expected = known[name][row];
      if (expected !== true && canonical(shown(rows[row])) !== canonical(expected)) {
        throw new Error(`${name}: row ${row} holds another value than before`);
      }
    }
    values += ids.length;
  }
  const columns = counted(Object.keys(found).length, "column");
  console.log(`${reader}: ${counted(values)} of ${columns}, each as it was`);
}

/** A number of things. */
export const counted = (number, what = "value") =>
  `${number.toLocaleString("en-US")} ${what}${number === 1 ? "" : "s"}`;

const shown = (value) =>
  value instanceof Uint8Array ? { hex: Buffer.from(value).toString("hex") } : value;

/** JSON whose members are in one order: that of JSONB is another one than that of a program. */
function canonical(value) {
  return JSON.stringify(value, (_, inner) => {
    if (inner === null || typeof inner !== "object" || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Opens every value of the manifest's columns, whatever format it is in, and compares it. */
export async function read(manifest, tables = {}) {
  const columns = manifest.build({ tables });
  const found = {};
  await connected(async (db) => {
    for (const [at, spec] of manifest.columns.entries()) {
      const facts = Object.entries(spec.context).filter(([, fact]) => typeof fact !== "string");
      const asked = [...spec.rowId, ...facts.map(([, fact]) => fact.column), spec.column];
      const { rows } = await db.query({
        text: `SELECT ${asked.map((name) => db.escapeIdentifier(name)).join(", ")}
               FROM ${db.escapeIdentifier(spec.table)} WHERE ${spec.where ?? "true"}`,
        rowMode: "array",
      });
      const name = `${spec.table}.${spec.column}${(spec.path ?? "").slice(1)}`;
      for (const row of rows) {
        const ids = row.slice(0, spec.rowId.length);
        const context = Object.fromEntries(
          facts.map(([fact], place) => [fact, row[spec.rowId.length + place]]),
        );
        if (spec.bindRow) context.row = ids[0];
        const opened = columns[at].open(storedText(row.at(-1), spec.path), context);
        (found[name] ??= {})[ids.join("/")] = opened === null ? null : opened.value;
      }
    }
  });
  compare("node", found);
}

/** A stored value, or the member of a stored document. The driver gives JSONB as what it means. */
function storedText(stored, path) {
  let value = stored;
  if (path) {
    value = typeof value === "string" ? JSON.parse(value) : value;
    for (const name of path.split(".").slice(1)) value = value[name];
  }
  if (value === null || typeof value === "string" || value instanceof Uint8Array) return value;
  return JSON.stringify(value);
}
