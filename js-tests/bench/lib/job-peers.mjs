// What a job is compared with: the same statements without cryptography, and the script that people
// write. The same as in py-tests/bench/lib/job_peers.py.
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { TABLE } from "./job-tables.mjs";

const BATCH = 500;
/** As long as a checkpoint is. */
const STATE = "x".repeat(400);

/**
 * Puts precomputed values in the place of all that is there, and knows after each batch how far it is.
 * As the job does, it compares what is replaced, byte by byte, and looks at all rows once more.
 */
export async function bare(place, values, passes) {
  const { run, close } = await place.connect();
  const first = place.name === "PostgreSQL" ? "$1" : "?";
  await run("CREATE TABLE bench_state (id varchar(64) PRIMARY KEY, state text)");
  await run(`INSERT INTO bench_state VALUES ('job', ${first})`, [STATE]);
  const swap = { PostgreSQL: swapPostgres, MariaDB: swapMariaDb, SQLite: swapSqlite }[place.name];
  const id = place.name === "PostgreSQL" ? "id::text" : "id";
  const select = `SELECT ${id}, note FROM ${TABLE} WHERE ${TABLE}.id > ${first} ORDER BY ${TABLE}.id LIMIT ${BATCH}`;
  for (let pass = 0; pass < passes; pass++) {
    for (let last = 0; ;) {
      const { rows } = await run(select, [last]);
      if (rows.length === 0) break;
      last = Number(rows.at(-1)[0]);
      if (pass > 0) continue;
      const news = rows.map(([row]) => values[Number(row) - 1]);
      await run(place.name === "SQLite" ? "BEGIN IMMEDIATE" : "BEGIN");
      if ((await swap(run, rows, news)) !== rows.length) throw new Error("a row was not swapped");
      const state = `${last} ${STATE}`;
      await run(`UPDATE bench_state SET state = ${first} WHERE id = 'job'`, [state]);
      await run("COMMIT");
    }
  }
  await run("DROP TABLE bench_state");
  await close();
}

async function swapPostgres(run, rows, news) {
  const { changed } = await run(
    `UPDATE ${TABLE} SET note = v.n FROM unnest($1::text[], $2::text[], $3::text[]) AS v(k, o, n) ` +
      `WHERE ${TABLE}.id = v.k::bigint AND ${TABLE}.note COLLATE "C" = v.o`,
    [array(rows.map(([row]) => row)), array(rows.map(([, old]) => old)), array(news)],
  );
  return changed;
}

/** The text of an array: the driver takes longer to make it of a list. */
function array(items) {
  return `{${items.map((item) => `"${item.replace(/["\\]/gu, "\\$&")}"`).join(",")}}`;
}

async function swapMariaDb(run, rows, news) {
  const one =
    "SELECT CAST(? AS SIGNED) AS k, CAST(? AS BINARY) AS o, CONVERT(? USING utf8mb4) AS n";
  const { changed } = await run(
    `UPDATE ${TABLE} JOIN (${rows.map(() => one).join(" UNION ALL ")}) AS v ON ${TABLE}.id = v.k ` +
      `SET note = v.n WHERE CAST(CONVERT(${TABLE}.note USING utf8mb4) AS BINARY) = v.o`,
    rows.flatMap(([row, old], at) => [row, old, news[at]]),
  );
  return changed;
}

async function swapSqlite(run, rows, news) {
  const { changed } = await run(
    `WITH v(k, o, n) AS (VALUES ${rows.map(() => "(?, ?, ?)").join(", ")}) UPDATE ${TABLE} SET note = v.n ` +
      `FROM v WHERE ${TABLE}.id = v.k AND typeof(${TABLE}.note) = typeof(v.o) AND ${TABLE}.note = v.o`,
    rows.flatMap(([row, old], at) => [row, old, news[at]]),
  );
  return changed;
}

/** Rotates a key as people do: all rows at once, and an update for each. */
export async function script(place, before, after, isOneTransaction) {
  const { run, close } = await place.connect();
  const [first, second] = place.name === "PostgreSQL" ? ["$1", "$2"] : ["?", "?"];
  const update = `UPDATE ${TABLE} SET note = ${first} WHERE id = ${second}`;
  if (isOneTransaction) await run("BEGIN");
  const { rows } = await run(`SELECT id, note FROM ${TABLE}`);
  for (const [id, token] of rows) await run(update, [encrypt(after, decrypt(before, token)), id]);
  if (isOneTransaction) await run("COMMIT");
  await close();
}

/** AES-256-GCM: nonce, tag and ciphertext in base64. */
export function encrypt(key, text) {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64");
}

function decrypt(key, token) {
  const bytes = Buffer.from(token, "base64");
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12));
  decipher.setAuthTag(bytes.subarray(12, 28));
  return decipher.update(bytes.subarray(28), undefined, "utf8") + decipher.final("utf8");
}

/** Counts values by their start, in a statement. */
export async function groupBy(place, characters) {
  const { run, close } = await place.connect();
  const start = place.name === "SQLite" ? "substr(note, 1," : "left(note,";
  const { rows } = await run(
    `SELECT ${start} ${characters}) AS start, count(*) FROM ${TABLE} GROUP BY start`,
  );
  await close();
  return rows.reduce((sum, [, count]) => sum + Number(count), 0);
}
