// The drivers of the bulk job, on real databases; py-tests/test_database_*.py have the same scenarios.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import Sqlite from "libsql";
import mysqlCallbacks from "mysql2";
import mysql from "mysql2/promise";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { connect, DatabaseError, of, type Cell, type Database } from "../wasm/ts/database.js";
import { Real, type Value } from "../wasm/ts/database-base.js";
import { written } from "../wasm/ts/database-mysql.js";
import { openSqlite } from "../wasm/ts/database-sqlite.js";
import { parseDatabaseUrl } from "../wasm/ts/database-url.js";
import { ResealError } from "../wasm/ts/errors.js";
import {
  failureOf,
  KINDS,
  Place,
  SECRET,
  serverOptions,
  servers,
  SERVERS,
  type Kind,
} from "./database-support.js";
import urls from "./fixtures/database-urls.json" with { type: "json" };

const TEXTS = [
  "",
  "Grüße 👋🏽 \u{1f511}",
  "it's \"quoted\" `so` \\ \\' \\\\",
  "100 % %s %(a)s ? ?? $1 $& :a {x} -- /* # */ ;",
  "line\nfeed\r\ttab \x1a\x7f",
  " trailing ",
  "rs1.AAEC-_",
];
const ALL_BYTES = Uint8Array.from({ length: 256 }, (_, at) => at);
const INTEGERS = [0, 1, -1, 2 ** 31, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)];
const HOSTILE = ["select", "a?b", "a%b%s", "a'b", "a\\b", "ü ☃", "a;--b", "$1"];
const CODES: Record<string, Partial<Record<Kind, string>>> = {
  unique: { postgresql: "23505", mysql: "1062", sqlite: "2067" },
  "missing table": { postgresql: "42P01", mysql: "1146", sqlite: "1" },
  "missing column": { postgresql: "42703", mysql: "1054", sqlite: "1" },
  null: { postgresql: "23502", mysql: "1048", sqlite: "1299" },
  lock: { postgresql: "55P03", mysql: "1205", sqlite: "5" },
  deadlock: { postgresql: "40P01", mysql: "1213" },
  "too long": { postgresql: "22001", mysql: "1406" },
  time: { postgresql: "57014", mysql: "1969" },
  denied: { postgresql: "42501", mysql: "1142", sqlite: "8" },
  unreachable: { postgresql: "08001", mysql: "2003", sqlite: "14" },
  password: { postgresql: "28P01", mysql: "1045" },
};
const LOST: Partial<Record<Kind, string[]>> = {
  postgresql: ["57P01", "08006"],
  mysql: ["2006", "2013", "1927"],
};

let folder: string;
let running: Record<Kind, string>;
let place: Place;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reseal-database-"));
  running = { ...servers(), sqlite: `sqlite:///${folder}/app.db` };
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A scenario on each of these databases. */
function on(kinds: readonly Kind[], name: string, scenario: (place: Place) => Promise<void>): void {
  for (const kind of kinds) {
    describe(kind, () => {
      beforeEach(() => {
        if (kind === "sqlite") writeFileSync(join(folder, "app.db"), "");
        place = new Place(kind, running[kind]);
      });
      afterEach(() => place.clean());
      test(name, () => scenario(place));
    });
  }
}

/** Bytes as text: to compare a megabyte of numbers takes seconds. */
const rowsOf = (rows: Cell[][]) =>
  rows.map((row) => {
    return row.map((cell) => {
      return cell instanceof Uint8Array ? `x'${Buffer.from(cell).toString("hex")}'` : cell;
    });
  });

// --- values ------------------------------------------------------------------------------------

on(KINDS, "values survive", async (place) => {
  const database = await place.open();
  const columns = `k integer primary key, a ${place.type("text")}, b ${place.type("bytes")}`;
  await database.execute(`CREATE TABLE t (${columns}, c ${place.type("int")})`);
  const rows: Value[][] = [
    ...TEXTS.map((text, at) => [at, text, Buffer.from(text), null]),
    [100, null, ALL_BYTES, null],
    [101, "€".repeat(350_000), Buffer.concat(Array<Uint8Array>(4096).fill(ALL_BYTES)), null],
    ...INTEGERS.map((value, at) => [200 + at, null, null, value]),
  ];
  const marks = [1, 2, 3, 4].map((number) => place.mark(number)).join(", ");
  for (const row of rows) {
    expect(await database.execute(`INSERT INTO t VALUES (${marks})`, row)).toBe(1);
  }
  const found = await database.query("SELECT k, a, b, c FROM t ORDER BY k");
  expect(rowsOf(found)).toEqual(rowsOf(rows));
  // They are found by what they are, too.
  for (const [key, ...values] of rows) {
    for (const [at, column] of ["a", "b", "c"].entries()) {
      const value = values[at]!;
      if (value === null) continue;
      const binary = place.kind === "mysql" && column === "a" ? "BINARY " : "";
      const cast = place.mark(1, ["text", "bytea", "bigint"][at]);
      const sql = `SELECT k FROM t WHERE ${binary}${column} = ${cast}`;
      expect(await database.query(sql, [value])).toContainEqual([key]);
    }
  }
});

// libsql, and the SQLite of Node 22, cut such text.
on(["mysql"], "zero bytes in text survive", async (place) => {
  const database = await place.open();
  await database.execute(`CREATE TABLE t (a ${place.type("text")})`);
  await database.execute("INSERT INTO t VALUES (?)", ["a\0b"]);
  expect(await database.query("SELECT a FROM t")).toEqual([["a\0b"]]);
});

on(["mysql"], "a backslash is a backslash in every mode", async (place) => {
  const database = await place.open();
  await database.execute(`CREATE TABLE t (a ${place.type("text")})`);
  for (const mode of ["", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES,PIPES_AS_CONCAT"]) {
    await database.execute("SET SESSION sql_mode = ?", [mode]);
    for (const text of [...TEXTS, "\\", "\\'", "'\\"]) {
      expect(await database.query("SELECT ?", [text])).toEqual([[text]]);
      await database.execute("INSERT INTO t VALUES (?)", [text]);
      const found = await database.query("SELECT a FROM t WHERE BINARY a = ?", [text]);
      expect(found).toEqual([[text]]);
      await database.execute("DELETE FROM t");
    }
  }
});

on(["mysql"], "placeholders stand outside of quotes and remarks", async (place) => {
  const sql = "`a?b` = ? AND '?' = \"?\" -- ?\n /* ? */ # ?\n ? 'it''s ?' '\\'?'";
  const whole = "`a?b` = 1 AND '?' = \"?\" -- ?\n /* ? */ # ?\n 'x' 'it''s ?' '\\'?'";
  expect(written(sql, [1, "x"])).toBe(whole);
  expect(written("`a``?` = ? - ?", [-1, Uint8Array.of(255)])).toBe("`a``?` = -1 - x'ff'");
  for (const params of [[], [1, 2], [1.5], [true], [["a"]], [undefined], [new Date()]]) {
    expect(() => written("? ", params as never)).toThrow(ResealError);
  }
  const database = await place.open();
  const found = await database.query("SELECT '?', ?, '%s' /* ? */", ["?"]);
  expect(found).toEqual([["?", "?", "%s"]]);
});

on(["postgresql"], "arrays reach PostgreSQL", async (place) => {
  const database = await place.open();
  const texts = [...TEXTS, null, "NULL", "{a,b}", '"', ","];
  const sql = "SELECT a, b, c FROM unnest($1::text[], $2::bytea[], $3::bigint[]) AS v(a, b, c)";
  const strange = Buffer.from("\\x00\u00ff", "latin1");
  const blobs = texts.map((_, at) => [ALL_BYTES, new Uint8Array(), null][at] ?? strange);
  const numbers = texts.map((_, at) => [...INTEGERS, null][at] ?? 7);
  const rows = texts.map((text, at) => [text, blobs[at]!, numbers[at]!]);
  expect(rowsOf(await database.query(sql, [texts, blobs, numbers]))).toEqual(rowsOf(rows));
  expect(await database.query(sql, [[], [], []])).toEqual([]);
});

on(KINDS, "a batch is one statement", async (place) => {
  const database = await place.open();
  await place.table(database, 0);
  const numbers = Array.from({ length: 500 }, (_, at) => at);
  const [before, after] = ["old", "new"].map((word) => numbers.map((n) => `${word} ${n}`));
  if (place.kind === "postgresql") {
    const insert = "INSERT INTO t SELECT * FROM unnest($1::int[], $2::text[])";
    await database.execute(insert, [numbers, before!]);
    const rows = "unnest($1::int[], $2::text[], $3::text[]) AS w(id, old, new)";
    const change = `UPDATE t SET v = w.new FROM ${rows} WHERE t.id = w.id AND t.v = w.old`;
    const found = await database.query(`${change} RETURNING t.id`, [numbers, before!, after!]);
    expect(found.length).toBe(500);
  } else {
    const pairs = numbers.flatMap((n) => [n, before![n]!]);
    const places = Array(500).fill("(?, ?)").join(", ");
    await database.execute(`INSERT INTO t VALUES ${places}`, pairs);
    const cells = numbers.flatMap((n) => [n, before![n]!, after![n]!]);
    const mysqlRows = `SELECT ? AS k, ? AS o, ? AS n${" UNION ALL SELECT ?, ?, ?".repeat(499)}`;
    const sqliteRows = Array(500).fill("(?, ?, ?)").join(", ");
    const sql =
      place.kind === "mysql"
        ? `UPDATE t JOIN (${mysqlRows}) w ON t.id = w.k SET t.v = w.n WHERE BINARY t.v = BINARY w.o`
        : `WITH w(k, o, n) AS (VALUES ${sqliteRows}) UPDATE t SET v = w.n FROM w WHERE t.id = w.k AND t.v = w.o`;
    expect(await database.execute(sql, cells)).toBe(500);
  }
  const found = await database.query("SELECT id, v FROM t ORDER BY id");
  expect(found).toEqual(numbers.map((n) => [n, after![n]]));
});

on(KINDS, "every other type comes as text", async (place) => {
  const database = await place.open();
  const cases: Record<string, [sql: string, ...expected: Cell[]]> = {
    postgresql: [
      "SELECT 1.50::numeric, true, '2024-02-03'::date, '12:13:14'::time, '{\"a\": 1}'::jsonb," +
        " '7f3b1c1e-0000-4000-8000-000000000001'::uuid, ARRAY['a'], 1.5::float8",
      ...["1.50", "t", "2024-02-03", "12:13:14", '{"a": 1}'],
      ...["7f3b1c1e-0000-4000-8000-000000000001", "{a}", "1.5"],
    ],
    mysql: [
      "SELECT CAST(1.50 AS DECIMAL(5, 2)), CAST('2024-02-03' AS DATE), CAST('-12:13:14' AS TIME)," +
        " CAST('2024-02-03 04:05:06' AS DATETIME), 1.5e0",
      ...["1.50", "2024-02-03", "-12:13:14", "2024-02-03 04:05:06", "1.5"],
    ],
    sqlite: ["SELECT 1.5, 0.1, 1.0", new Real(1.5), new Real(0.1), new Real(1)],
  };
  const [sql, ...expected] = cases[place.kind]!;
  expect(await database.query(sql)).toEqual([expected]);
});

for (const name of HOSTILE) {
  on(KINDS, `hostile names are names: ${name}`, async (place) => {
    const database = await place.open();
    const quoted = place.quoted(name);
    await database.execute(`CREATE TABLE t (k integer primary key, ${quoted} varchar(40))`);
    const insert = `INSERT INTO t (k, ${quoted}) VALUES (${place.mark(1)}, ${place.mark(2)})`;
    expect(await database.execute(insert, [1, "?%s"])).toBe(1);
    const sql = `SELECT ${quoted} FROM t WHERE ${quoted} = ${place.mark(1, "text")}`;
    expect(await database.query(sql, ["?%s"])).toEqual([["?%s"]]);
  });
}

on(KINDS, "a statement without rows gives none", async (place) => {
  const database = await place.open();
  expect(await database.query("CREATE TABLE t (k integer)")).toEqual([]);
  expect(await database.query("INSERT INTO t VALUES (1)")).toEqual([]);
  expect(await database.query("SELECT k FROM t WHERE k = 2")).toEqual([]);
});

on(["postgresql", "sqlite"], "rows of a change are given", async (place) => {
  const database = await place.open();
  await place.table(database);
  const change = "UPDATE t SET v = 'x' WHERE id < 3 RETURNING id";
  expect((await database.query(change)).sort()).toEqual([[1], [2]]);
  expect(await database.execute(change)).toBe(2);
});

// --- transactions and counts -------------------------------------------------------------------

const rowCount = async (database: Database) => {
  const [[count] = []] = await database.query("SELECT count(*) FROM t");
  return count;
};

on(KINDS, "outside of transactions all is there at once", async (place) => {
  const [one, other] = [await place.open(), await place.open()];
  await place.table(one);
  expect(await rowCount(other)).toBe(3);
});

on(KINDS, "transactions commit and roll back", async (place) => {
  const [one, other] = [await place.open(), await place.open()];
  await place.table(one);
  for (const [end, left] of [
    ["rollback", 3],
    ["commit", 2],
  ] as const) {
    await one.begin();
    expect(await one.execute("DELETE FROM t WHERE id = 1")).toBe(1);
    expect(await rowCount(other)).toBe(3);
    await one[end]();
    expect(await rowCount(other)).toBe(left);
  }
  // Without a transaction there is nothing to leave.
  await one.rollback();
  expect(await one.execute("DELETE FROM t WHERE id = 2")).toBe(1);
  expect(await rowCount(other)).toBe(1);
});

on(KINDS, "a transaction that failed leaves nothing", async (place) => {
  const [one, other] = [await place.open(), await place.open()];
  await place.table(one);
  await one.begin();
  await one.execute("DELETE FROM t WHERE id = 1");
  await failureOf(one, () => one.execute("INSERT INTO t VALUES (2, 'x')"));
  if (place.kind === "postgresql") {
    expect((await failureOf(one, () => one.commit())).code).toBe("25P02");
  }
  await one.rollback();
  expect(await rowCount(other)).toBe(3);
});

on(KINDS, "rows count that match", async (place) => {
  const database = await place.open();
  await place.table(database);
  expect(await database.execute("UPDATE t SET v = 'v1' WHERE id < 3")).toBe(2);
  expect(await database.execute("UPDATE t SET v = 'v1' WHERE id < 3")).toBe(2);
  expect(await database.execute("UPDATE t SET v = 'v1' WHERE id > 3")).toBe(0);
  expect(await database.execute("DELETE FROM t")).toBe(3);
  expect(await database.execute("CREATE TABLE u (k integer)")).toBe(0);
  expect(await database.execute("INSERT INTO u SELECT 1 UNION ALL SELECT 2")).toBe(2);
});

// --- failures ----------------------------------------------------------------------------------

on(KINDS, "statements that are refused", async (place) => {
  const database = await place.open();
  await place.table(database, 1);
  await database.execute("CREATE UNIQUE INDEX i ON t (v)");
  const insert = `INSERT INTO t VALUES (${place.mark(1)}, ${place.mark(2)})`;
  await database.execute(insert, [2, SECRET]);
  const steps: [name: string, sql: string, params: Value[]][] = [
    ["unique", insert, [3, SECRET]],
    ["null", insert, [3, null]],
    ["missing table", "SELECT 1 FROM nowhere", []],
    ["missing column", "SELECT nothing FROM t", []],
  ];
  if (place.kind !== "sqlite") steps.push(["too long", insert, [3, SECRET.repeat(10)]]);
  for (const [name, sql, params] of steps) {
    const { code } = await failureOf(database, () => database.execute(sql, params));
    expect(code, name).toBe(CODES[name]![place.kind]);
  }
  const { message } = await failureOf(database, () => database.query("SELECT 1 FROM nowhere"));
  expect(message).toContain("nowhere");
  expect(await rowCount(database)).toBe(2);
});

on(KINDS, "values that do not fit are not shown", async (place) => {
  const database = await place.open();
  const mark = place.mark(1);
  let insert = `INSERT INTO t (d) VALUES (${mark})`;
  if (place.kind === "sqlite") {
    await database.execute("CREATE TABLE t (k integer primary key, d text)");
    const refuse = `SELECT RAISE(ABORT, '${SECRET}')`;
    await database.execute(`CREATE TRIGGER g BEFORE INSERT ON t BEGIN ${refuse}; END`);
    insert = "INSERT INTO t (d) VALUES (?)";
  } else {
    await database.execute("CREATE TABLE t (k integer, d date)");
  }
  const { code } = await failureOf(database, () => database.execute(insert, [SECRET]));
  expect(code).toBe({ postgresql: "22007", mysql: "1292", sqlite: "1811" }[place.kind]);
  // What the server cannot parse may be a value that was written into the statement.
  const params = place.kind === "postgresql" ? [SECRET] : [SECRET, SECRET];
  await failureOf(database, () => database.query(`SELECT FROM WHERE ${mark} ${mark}`, params));
  for (const strange of [{}, { [SECRET]: 1 }, 1.5, undefined, true]) {
    await failureOf(database, () => database.query(`SELECT ${mark}`, [strange as never]));
  }
});

on(KINDS, "a lock that is held is not waited for without end", async (place) => {
  const [one, other] = [await place.open(), await place.open()];
  await place.table(one);
  const wait = {
    postgresql: "SET lock_timeout = 50",
    mysql: "SET SESSION innodb_lock_wait_timeout = 0",
    sqlite: "PRAGMA busy_timeout = 50",
  };
  await other[place.kind === "sqlite" ? "query" : "execute"](wait[place.kind]);
  await one.begin();
  await one.execute("UPDATE t SET v = 'x' WHERE id = 1");
  const change = async () => {
    await other.begin();
    await other.execute("UPDATE t SET v = 'y' WHERE id = 1");
  };
  expect((await failureOf(other, change)).code).toBe(CODES["lock"]![place.kind]);
  await other.rollback();
  await one.commit();
  await change();
  await other.commit();
  expect(await one.query("SELECT v FROM t WHERE id = 1")).toEqual([["y"]]);
});

on(SERVERS, "deadlocks are told", async (place) => {
  const [one, other] = [await place.open(), await place.open()];
  await place.table(one);
  await one.begin();
  await other.begin();
  await one.execute("UPDATE t SET v = 'x' WHERE id = 1");
  await other.execute("UPDATE t SET v = 'x' WHERE id = 2");
  const codes: string[] = [];
  const cross = async (database: Database, row: number) => {
    try {
      await database.execute(`UPDATE t SET v = 'x' WHERE id = ${row}`);
    } catch (error) {
      codes.push(database.failure(error).code);
    }
    await database.rollback();
  };
  await Promise.all([cross(one, 2), cross(other, 1)]);
  expect(codes).toEqual([CODES["deadlock"]![place.kind]]);
  expect(await one.query("SELECT count(*) FROM t WHERE v = 'x'")).toEqual([[0]]);
});

on(SERVERS, "statements that take too long end", async (place) => {
  const database = await place.open();
  const [limit, slow] =
    place.kind === "postgresql"
      ? ["SET statement_timeout = 50", "SELECT pg_sleep(30)"]
      : [
          "SET SESSION max_statement_time = 0.05",
          "SELECT count(*) FROM seq_1_to_100000 a, seq_1_to_100000 b",
        ];
  await database.execute(limit);
  const { code } = await failureOf(database, () => database.query(slow));
  expect(code).toBe(CODES["time"]![place.kind]);
  expect(await database.query("SELECT 1")).toEqual([[1]]);
});

on(KINDS, "rights that are missing", async (place) => {
  const database = await place.open();
  await place.table(database);
  let reader: Database;
  const { port, database: name } = place.target;
  const user = place.kind === "mysql" ? "reader@'%'" : "reader";
  if (place.kind === "sqlite") {
    reader = await place.open();
    await reader.query("PRAGMA query_only = 1");
  } else {
    const word = place.kind === "mysql" ? "IDENTIFIED BY" : "PASSWORD";
    await database.execute(`CREATE USER ${user} ${word} 'x'`);
    await database.execute(`GRANT SELECT ON t TO ${user}`);
    reader = await place.open(`${place.kind}://reader:x@127.0.0.1:${port}/${name}`);
  }
  expect(await rowCount(reader)).toBe(3);
  const step = () => reader.execute(`UPDATE t SET v = '${SECRET}'`);
  const { code } = await failureOf(reader, step);
  if (place.kind === "postgresql") await database.execute("DROP OWNED BY reader");
  if (place.kind !== "sqlite") await database.execute(`DROP USER ${user}`);
  expect(code).toBe(CODES["denied"]![place.kind]);
});

async function connectError(url: string): Promise<DatabaseError> {
  const error: unknown = await connect(url).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(DatabaseError);
  const shown = inspect(error, { depth: 9 });
  expect(shown).not.toContain(SECRET);
  const { dialect, password } = parseDatabaseUrl(url);
  if (password !== null) expect(shown).not.toContain(password);
  expect((error as DatabaseError).dialect).toBe(dialect);
  expect((error as DatabaseError).message).not.toBe("");
  return error as DatabaseError;
}

on(KINDS, "what cannot be reached", async (place) => {
  const server = createServer();
  const port = await new Promise<number>((done) => {
    server.listen(0, "127.0.0.1", () => done((server.address() as { port: number }).port));
  });
  await new Promise((done) => server.close(done));
  const url =
    place.kind === "sqlite"
      ? "sqlite:////nowhere/app.db"
      : `${place.kind}://anna:${SECRET}@127.0.0.1:${port}/shop`;
  const { failure } = await connectError(url);
  expect(failure.code).toBe(CODES["unreachable"]![place.kind]);
  if (place.kind !== "sqlite") expect(failure.message).toContain("the server cannot be reached");
});

on(SERVERS, "who is not let in", async (place) => {
  const { port, database } = place.target;
  const url = `${place.kind}://anna:${SECRET}@127.0.0.1:${port}/${database}`;
  expect((await connectError(url)).failure.code).toBe(CODES["password"]![place.kind]);
  const elsewhere = place.url.replace(/\/[^/]*$/, "/nowhere");
  const code = { postgresql: "3D000", mysql: "1049", sqlite: "" }[place.kind];
  expect((await connectError(elsewhere)).failure.code).toBe(code);
});

for (const mode of ["require", "verify-ca", "verify-full"]) {
  on(SERVERS, `encryption that is asked for is not left out: ${mode}`, async (place) => {
    const url = `${place.url}?sslmode=${mode}`;
    if (mode !== "verify-ca") {
      const { failure } = await connectError(url);
      expect(failure.code).toBe({ postgresql: "08001", mysql: "2026", sqlite: "" }[place.kind]);
    }
    const error = await connect(`${url}&sslrootcert=/nowhere/ca.pem`).catch((it) => it);
    expect(error).toBeInstanceOf(ResealError);
    expect(error).toMatchObject({
      code: "invalid-argument",
      message: 'sslrootcert: cannot read "/nowhere/ca.pem" (ENOENT)',
    });
    for (const other of ["disable", "prefer"]) {
      const ignored = `${place.url}?sslmode=${other}&sslrootcert=/nowhere/ca.pem`;
      const database = await place.open(ignored);
      expect(await database.query("SELECT 1")).toEqual([[1]]);
    }
  });
}

on(SERVERS, "a connection that is lost is replaced outside of transactions", async (place) => {
  const database = await place.open();
  await place.table(database);
  await place.kill(database);
  const { code } = await failureOf(database, () => rowCount(database));
  expect(LOST[place.kind]).toContain(code);
  expect(await rowCount(database)).toBe(3);
});

on(["mysql"], "a node of Galera that has left its cluster is left", async (place) => {
  const database = await place.open();
  const number = "SELECT connection_id()";
  const before = await database.query(number);
  const signal = "SIGNAL SQLSTATE '08S01' SET MYSQL_ERRNO = 1047";
  const { code } = await failureOf(database, () => database.execute(signal));
  expect(code).toBe("1047");
  expect(await database.query(number)).not.toEqual(before);
});

on(SERVERS, "one that is lost in a transaction is not replaced before rollback", async (place) => {
  const database = await place.open();
  await place.table(database);
  await database.begin();
  await database.execute("DELETE FROM t WHERE id = 1");
  await place.kill(database);
  const steps = [() => database.execute("DELETE FROM t WHERE id = 2"), () => database.commit()];
  for (const step of steps) {
    expect(LOST[place.kind]).toContain((await failureOf(database, step)).code);
  }
  await database.rollback();
  expect(await rowCount(database)).toBe(3);
  await database.begin();
  await database.execute("DELETE FROM t WHERE id = 1");
  await database.commit();
  expect(await rowCount(database)).toBe(2);
});

on(KINDS, "what is closed stays closed", async (place) => {
  const database = await place.open();
  await database.close();
  await database.close();
  await expect(database.query("SELECT 1")).rejects.toThrow("closed");
});

// --- connections that are there ----------------------------------------------------------------

interface Native {
  readonly given: object;
  /** What an application does with it. */
  run(sql: string): Promise<unknown>;
  end(): unknown;
}

async function nativesOf(place: Place): Promise<Native[]> {
  if (place.kind === "postgresql") {
    const client = new pg.Client(serverOptions(place));
    client.on("error", () => undefined);
    await client.connect();
    const pool = new pg.Pool({ ...serverOptions(place), max: 1 });
    pool.on("error", () => undefined);
    return [client, pool].map((given) => {
      return { given, run: (sql) => given.query(sql), end: () => given.end() };
    });
  }
  if (place.kind === "mysql") {
    const options = { ...serverOptions(place), flags: ["-FOUND_ROWS"] };
    const connection = await mysql.createConnection(options);
    const pool = mysql.createPool({ ...options, connectionLimit: 1 });
    const callbacks = mysqlCallbacks.createConnection(options);
    return [
      { given: connection, run: (sql) => connection.query(sql), end: () => connection.destroy() },
      { given: pool, run: (sql) => pool.query(sql), end: () => pool.end() },
      {
        given: callbacks,
        run: (sql) => callbacks.promise().query(sql),
        end: () => callbacks.destroy(),
      },
    ];
  }
  const connection = new Sqlite(place.target.database);
  const run = (sql: string) => Promise.resolve(connection.prepare(sql).run());
  return [{ given: connection, run, end: () => connection.close() }];
}

on(KINDS, "connections, pools and clients are given back as they were", async (place) => {
  for (const native of await nativesOf(place)) {
    const database = await of(native.given);
    expect(database.dialect).toBe(place.kind);
    await place.table(database);
    expect(await database.execute("UPDATE t SET v = 'v1' WHERE id < 3")).toBe(2);
    expect(await database.execute("UPDATE t SET v = 'v1' WHERE id < 3")).toBe(2);
    await database.begin();
    await database.execute("DELETE FROM t");
    await database.close();
    // The only connection of a pool is there again, and the transaction is not.
    await native.run("INSERT INTO t VALUES (4, 'v4')");
    const other = await place.open();
    expect(await rowCount(other)).toBe(4);
    await native.run("DROP TABLE t");
    await native.end();
  }
});

on(
  SERVERS,
  "a pool gives another connection for one that is lost, and a client does not",
  async (place) => {
    for (const native of await nativesOf(place)) {
      const database = await of(native.given);
      await place.kill(database);
      const { code } = await failureOf(database, () => database.query("SELECT 1"));
      expect(LOST[place.kind]).toContain(code);
      const again = await database
        .query("SELECT 1")
        .catch((error: unknown) => database.failure(error));
      if (Array.isArray(again)) expect(again).toEqual([[1]]);
      else expect(LOST[place.kind]).toContain(again.code);
      expect(Array.isArray(again)).toBe(
        "totalCount" in native.given || "getConnection" in native.given,
      );
      await database.close();
      await native.end();
    }
  },
);

on(SERVERS, "a connection that cannot be put back is not given to others", async (place) => {
  const [, native] = await nativesOf(place);
  const pool = native!.given as Record<string, (...given: never[]) => Promise<unknown>>;
  const take = place.kind === "postgresql" ? "connect" : "getConnection";
  pool[take] = async () => {
    delete pool[take];
    const connection = (await pool[take]!()) as Record<string, (...given: unknown[]) => unknown>;
    const query = connection["query"]!.bind(connection);
    connection["query"] = async (options) => {
      const text = String(Object.values(options as object)[0]);
      // As one that waits in the driver, and whose time is over there.
      if (text === "ROLLBACK") throw new Error("no answer");
      return query(options);
    };
    return connection;
  };
  const database = await of(pool);
  await place.table(database);
  await database.begin();
  await database.execute("DELETE FROM t");
  await expect(database.close()).rejects.toThrow("no answer");
  await native!.run("INSERT INTO t VALUES (4, 'v4')");
  expect(await rowCount(await place.open())).toBe(4);
  await native!.end();
});

on(KINDS, "connections that cannot be used", async (place) => {
  const [native] = await nativesOf(place);
  const refused = async (words: string) => {
    await expect(of(native!.given)).rejects.toThrow(words);
    await expect(of(native!.given)).rejects.toBeInstanceOf(ResealError);
  };
  await native!.run("BEGIN");
  await refused("in a transaction");
  await native!.run("ROLLBACK");
  if (place.kind === "mysql") {
    await native!.run("SET NAMES latin1");
    await refused("character set");
  }
  if (place.kind === "postgresql") {
    await native!.run("SET client_encoding TO 'LATIN1'");
    await refused("encoding");
  }
  await native!.end();
});

on(["postgresql"], "bytes are what they are in both spellings of the server", async (place) => {
  const database = await place.open();
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const values = [
    all,
    Buffer.from("\\x00"),
    Buffer.from("\\\\000'"),
    Buffer.from(""),
    Buffer.from("é"),
  ];
  for (const spelling of ["hex", "escape"]) {
    await database.execute(`SET bytea_output TO ${spelling}`);
    for (const value of values) {
      const [[found] = []] = await database.query("SELECT $1::bytea", [value]);
      expect(Buffer.from(found as Uint8Array)).toEqual(Buffer.from(value));
    }
  }
});

on(["mysql"], "what a connection makes of its rows does not count", async (place) => {
  const options = { ...serverOptions(place), nestTables: "_" as const };
  // As the guide of the driver has it, for booleans.
  const typeCast: mysql.TypeCast = (field, next) => {
    return field.type === "TINY" && field.length === 1 ? field.string() === "1" : next();
  };
  const connection = await mysql.createConnection({ ...options, typeCast });
  const database = await of(connection);
  await database.execute("CREATE TABLE t (id bigint primary key, v json, b boolean, d date)");
  const row = [9007199254740993n, '{"a": 1}', 1, "2027-01-02"];
  await database.execute("INSERT INTO t VALUES (?, ?, ?, ?)", row);
  expect(await database.query("SELECT * FROM t")).toEqual([row]);
  await database.close();
  const [[found] = []] = await connection.query<mysql.RowDataPacket[]>("SELECT b FROM t");
  expect(found).toEqual({ t_b: true });
  connection.destroy();
});

on(["mysql"], "autocommit is given back", async (place) => {
  const [native] = await nativesOf(place);
  await native!.run("SET autocommit = 0");
  const database = await of(native!.given);
  await place.table(database);
  await database.close();
  expect(await rowCount(await place.open())).toBe(3);
  await native!.run("DELETE FROM t");
  await native!.run("ROLLBACK");
  expect(await rowCount(await place.open())).toBe(3);
  await native!.end();
});

on(KINDS, "whoever works alone on a connection is the only one who does", async (place) => {
  for (const { given, end } of await nativesOf(place)) {
    if ("totalCount" in given || "getConnection" in given) {
      await end();
      continue;
    }
    const faces = [given];
    if (given instanceof Object && "promise" in given) {
      faces.push((given.promise as () => object)());
    }
    const first = await of(given, true);
    for (const face of faces) {
      const second = of(face, true);
      await expect(second).rejects.toBeInstanceOf(ResealError);
      await expect(second).rejects.toThrow("another job has this connection");
    }
    // Who does not ask for that is let in, as for a keyset.
    const third = await of(given);
    await third.close();
    await expect(of(given, true)).rejects.toThrow("another job");
    expect(await first.query("SELECT 1")).toEqual([[1]]);
    await first.close();
    await (await of(faces.at(-1), true)).close();
    await end();
  }
});

on(["postgresql"], "a client that nobody connected is refused", async (place) => {
  const client = new pg.Client(serverOptions(place));
  const refused = of(client);
  await expect(refused).rejects.toMatchObject({ code: "invalid-argument" });
  await expect(refused).rejects.toThrow("await client.connect()");
  // Its statements wait until it is.
  const connecting = client.connect();
  const database = await of(client);
  expect(await database.query("SELECT 1")).toEqual([[1]]);
  await database.close();
  await connecting;
  await client.end();
});

on(["postgresql"], "a server that vanishes is noticed", async (place) => {
  const keeps = vi.spyOn(Socket.prototype, "setKeepAlive");
  await place.open(`${place.url}?sslmode=disable`);
  expect(keeps.mock.calls).toEqual([[true, 30_000]]);
  keeps.mockRestore();
});

test("what is no connection", async () => {
  for (const given of [null, undefined, {}, "sqlite:///x", { query() {} }, new Map()]) {
    await expect(of(given)).rejects.toMatchObject({ code: "invalid-argument" });
  }
});

test.each(["node-22", "node-24"])("Node's own SQLite, of %s", (name) => {
  const node = fileURLToPath(new URL(`node_modules/${name}/bin/node`, import.meta.url));
  const program = fileURLToPath(new URL("fixtures/node-sqlite.ts", import.meta.url));
  const esbuild = fileURLToPath(new URL("../wasm/node_modules/.bin/esbuild", import.meta.url));
  const bundle = join(folder, `${name}.mjs`);
  const options = ["--bundle", "--platform=node", "--format=esm", "--log-level=warning"];
  execFileSync(esbuild, [...options, program, `--outfile=${bundle}`]);
  const path = join(folder, `${name}.db`);
  const output = execFileSync(node, ["--no-warnings", bundle, path], {
    cwd: folder,
    encoding: "utf8",
  });
  expect(JSON.parse(output)).toEqual({
    rows: [
      ["9223372036854775807", "ü💥", "00ff"],
      ["1", null, ""],
    ],
    counts: [1, 1, 2, 0],
    codes: ["2067", "1", "5"],
    reals: [{ value: 1.5 }, { value: 2 }],
  });
});

test("a package of SQLite is taken as it is exported", () => {
  const path = join(folder, "exported.db");
  for (const driver of [Sqlite, { DatabaseSync: Sqlite }]) openSqlite(driver, path).close();
});

// --- URLs --------------------------------------------------------------------------------------

test.each(urls.good as [string, Record<string, unknown>][])("%s", (url, expected) => {
  expect(parseDatabaseUrl(url)).toMatchObject(expected);
});

test.each(urls.bad as [string, string][])("not in order: %j", async (url, words) => {
  const error: unknown = await connect(url).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(ResealError);
  const { code, message } = error as ResealError;
  expect(code).toBe("invalid-argument");
  expect(message).toContain(words);
  for (const part of ["s3", "cret", "anna"]) expect(message).not.toContain(part);
});

test("a URL is text", async () => {
  for (const url of [null, 1, new URL("postgresql://u:p@h/d")]) {
    await expect(connect(url as never)).rejects.toBeInstanceOf(ResealError);
  }
});
