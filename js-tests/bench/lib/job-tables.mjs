// Tables for the speed of jobs: filled, and made anew as often as that is wanted. The same as in
// py-tests/bench/lib/job_tables.py.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Libsql from "libsql";
import mysql from "mysql2/promise";
import pg from "pg";

export const TABLE = "bench_users";
const SOURCES = ["bench_plain", "bench_sealed", "bench_tokens"];
const CHUNK = 1000;
const CHARACTERS = 120;

export const MANIFEST = `
version = 1
[codecs.app]
kind = "reseal"
keyring = "env"
[[columns]]
table = "${TABLE}"
column = "note"
row_id = ["id"]
context = { table = "users", column = "note" }
write = "app"
read = ["plain"]
`;
export const CONTEXT = { table: "users", column: "note" };

/** Texts of 120 characters, no two alike. */
export function plaintexts(count) {
  return Array.from({ length: count }, (_, number) =>
    `note ${number}: the customer was called, and will call again; `.repeat(3).slice(0, CHARACTERS),
  );
}

/**
 * The databases; the servers stop when this process ends, and the file is in the folder. What is
 * committed to those that are durable survives a crash of the machine.
 */
export function places(folder, isDurable) {
  const script = fileURLToPath(new URL("../../../scripts/databases.py", import.meta.url));
  const command = [script, "start", "--while", String(process.pid)];
  if (isDurable) command.push("--durable");
  const urls = JSON.parse(execFileSync("python3", command, { encoding: "utf8" }));
  const file = join(folder, "bench.db");
  const sqlite = new Libsql(file);
  sqlite.pragma("journal_mode = WAL");
  sqlite.close();
  return [
    new Place("PostgreSQL", urls.postgresql, () => openPostgres(urls.postgresql)),
    new Place("MariaDB", urls.mysql, () => openMariaDb(urls.mysql)),
    new Place("SQLite", `sqlite:///${file}`, () => openSqlite(file)),
  ];
}

/** A database that the job runs on. `connect` gives `run(sql, params)` over the driver of the job. */
class Place {
  constructor(name, url, connect) {
    Object.assign(this, { name, url, connect });
  }

  /** Makes a table of values, numbered from 1. */
  async fill(table, values) {
    const connection = await this.connect();
    await connection.run(`DROP TABLE IF EXISTS ${table}`);
    await connection.run(`CREATE TABLE ${table} (id bigint PRIMARY KEY, note text)`);
    await connection.run("BEGIN");
    for (let start = 0; start < values.length; start += CHUNK) {
      const chunk = values.slice(start, start + CHUNK);
      const ids = chunk.map((_, at) => start + at + 1);
      if (this.name === "PostgreSQL") {
        const all = "unnest($1::bigint[], $2::text[])";
        await connection.run(`INSERT INTO ${table} SELECT * FROM ${all}`, [ids, chunk]);
      } else {
        const marks = chunk.map(() => "(?, ?)").join(", ");
        const params = chunk.flatMap((value, at) => [ids[at], value]);
        await connection.run(`INSERT INTO ${table} VALUES ${marks}`, params);
      }
    }
    await connection.run("COMMIT");
    await connection.close();
  }

  /** Makes the table of the job a copy of another one, of `times` as many rows. */
  async renew(source, times = 1, rows = 0) {
    const connection = await this.connect();
    const number = this.name === "SQLite" ? "integer" : "bigint";
    await connection.run(`DROP TABLE IF EXISTS ${TABLE}`);
    await connection.run("DROP TABLE IF EXISTS reseal_jobs");
    await connection.run(`CREATE TABLE ${TABLE} (id ${number} PRIMARY KEY, note text)`);
    for (let time = 0; time < times; time++) {
      const select = `SELECT id + ${time * rows}, note FROM ${source}`;
      await connection.run(`INSERT INTO ${TABLE} ${select}`);
    }
    // What the server would else do while a way is timed.
    const settle = {
      PostgreSQL: [`VACUUM ANALYZE ${TABLE}`, "CHECKPOINT"],
      MariaDB: [`ANALYZE TABLE ${TABLE}`],
      SQLite: ["ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"],
    };
    for (const statement of settle[this.name]) await connection.run(statement);
    await connection.close();
  }

  /** How many rows there are, and the least and the greatest value. */
  async extremes() {
    const connection = await this.connect();
    const { rows } = await connection.run(`SELECT count(*), min(note), max(note) FROM ${TABLE}`);
    await connection.close();
    const [[count, least, greatest]] = rows;
    return [Number(count), least, greatest];
  }

  /** Drops all tables. */
  async clean() {
    const connection = await this.connect();
    for (const table of [...SOURCES, TABLE, "reseal_jobs"]) {
      await connection.run(`DROP TABLE IF EXISTS ${table}`);
    }
    await connection.close();
  }
}

async function openPostgres(url) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return {
    async run(text, values = []) {
      const { rows, rowCount } = await client.query({ text, values, rowMode: "array" });
      return { rows, changed: rowCount };
    },
    close: () => client.end(),
  };
}

async function openMariaDb(url) {
  const connection = await mysql.createConnection({ uri: url, rowsAsArray: true });
  return {
    async run(sql, params = []) {
      const [result] = await connection.query(sql, params);
      return Array.isArray(result) ? { rows: result } : { changed: result.affectedRows };
    },
    close: () => connection.end(),
  };
}

function openSqlite(file) {
  const database = new Libsql(file);
  return {
    run(sql, params = []) {
      const statement = database.prepare(sql);
      if (statement.reader) return { rows: statement.raw(true).all(...params) };
      return { changed: statement.run(...params).changes };
    },
    close: () => database.close(),
  };
}
