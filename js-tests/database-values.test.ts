// Values in the drivers of the bulk job; py-tests/test_database_values.py is the twin.
import { expect } from "vitest";
import type { Cell } from "../wasm/ts/database.js";
import { Real, type Value } from "../wasm/ts/database-base.js";
import { written } from "../wasm/ts/database-mysql.js";
import { ResealError } from "../wasm/ts/errors.js";
import { KINDS, onDatabases } from "./database-support.js";

const on = onDatabases("database_values");

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

/** Bytes as text: to compare a megabyte of numbers takes seconds. */
const rowsOf = (rows: Cell[][]) =>
  rows.map((row) => {
    return row.map((cell) => {
      return cell instanceof Uint8Array ? `x'${Buffer.from(cell).toString("hex")}'` : cell;
    });
  });

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
