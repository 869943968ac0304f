// Connections of an application as the bulk job takes them; py-tests/test_database_connections.py is the twin.
import { Socket } from "node:net";
import Sqlite from "libsql";
import mysqlCallbacks from "mysql2";
import mysql from "mysql2/promise";
import pg from "pg";
import { expect, test, vi } from "vitest";
import { of } from "../wasm/ts/database.js";
import { ResealError } from "../wasm/ts/errors.js";
import {
  failureOf,
  KINDS,
  LOST,
  onDatabases,
  rowCount,
  serverOptions,
  SERVERS,
  type Place,
} from "./database-support.js";

const on = onDatabases("database_connections");

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
