// What databases refuse, and how the drivers tell it; py-tests/test_database_failures.py is the twin.
import { expect } from "vitest";
import type { Database } from "../wasm/ts/database.js";
import type { Value } from "../wasm/ts/database-base.js";
import {
  CODES,
  failureOf,
  KINDS,
  onDatabases,
  rowCount,
  SECRET,
  SERVERS,
} from "./database-support.js";

const on = onDatabases("database_failures");

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
