// Connections that were given, and of which a statement had no answer: how they are given back.
import type { Socket } from "node:net";
import mysql from "mysql2";
import pg from "pg";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { of, type Database } from "../wasm/ts/database.js";
import { failureOf, ownDatabase, Place, serverOptions, servers } from "./database-support.js";

const CHANGE = "UPDATE t SET v = 'x' WHERE id = 1";

let place: Place;
const given: { end(): unknown }[] = [];
afterEach(async () => {
  // A server ends what they began, and only then lets a table go.
  for (const connection of given.splice(0)) await connection.end();
  await place.clean();
});

describe("postgresql", () => {
  const limits = { query_timeout: 250 };
  const END = "SELECT pg_terminate_backend(pg_backend_pid())";
  beforeAll(async () => void (place = await placeOn("postgresql")));

  test("a pool whose statements end on time gets no transaction back", async () => {
    const { letGo } = await heldRow();
    const pool = new pg.Pool({ ...serverOptions(place), max: 1, ...limits });
    given.push(pool);
    pool.on("error", () => undefined);
    const database = await of(pool);
    await database.begin();
    await unanswered(database, CHANGE);
    await database.rollback();
    await database.close();
    await letGo();
    await pool.query("INSERT INTO t VALUES (4, 'v4')");
    const state = await pool.query("SELECT now() = statement_timestamp() AS fresh");
    expect(state.rows).toEqual([{ fresh: true }]);
    expect(await stored()).toEqual(["held", "v2", "v3", "v4"]);
  });

  test("a client whose statement ends on time goes on afterwards", async () => {
    const { letGo } = await heldRow();
    const client = await clientOf();
    client.on("error", () => undefined);
    const database = await of(client);
    await database.begin();
    await unanswered(database, CHANGE);
    await letGo();
    await database.rollback();
    await database.begin();
    expect(await database.execute(CHANGE)).toBe(1);
    await database.commit();
    await database.close();
    const state = await client.query("SELECT now() = statement_timestamp() AS fresh");
    expect(state.rows).toEqual([{ fresh: true }]);
  });

  test("one whose statement goes on gets no transaction back either", async () => {
    const { letGo } = await heldRow();
    const client = await clientOf();
    const database = await of(client, true);
    await database.begin();
    await unanswered(database, CHANGE);
    // It waits in the driver, and is dropped there.
    expect((await failureOf(database, () => database.rollback())).code).toBe("08006");
    await database.close();
    expect(client).toMatchObject({ connectionParameters: limits });
    // The application goes on, and the row is let go only then.
    const written = asked(client, "INSERT INTO t VALUES (4, 'v4')");
    await letGo();
    await written;
    const { rows } = await asked(client, "SELECT now() = statement_timestamp() AS fresh");
    expect(rows).toEqual([{ fresh: true }]);
    expect(await stored()).toEqual(["held", "v2", "v3", "v4"]);
  });

  test("and ends meanwhile, if the application ends it", async () => {
    const { letGo } = await heldRow();
    const client = await clientOf();
    const database = await of(client, true);
    await database.begin();
    await unanswered(database, CHANGE);
    await database.close();
    await client.end();
    await letGo();
    expect(await stored()).toEqual(["held", "v2", "v3"]);
  });

  test("one that lives keeps no listener of each job, and may end later", async () => {
    const client = await clientOf();
    for (let round = 0; round < 3; round += 1) {
      const database = await of(client, true);
      await unanswered(database, "SELECT pg_sleep(0.6)");
      await database.close();
      await asked(client, "SELECT 1");
    }
    expect(client.listenerCount("end")).toBe(0);
    expect(client.listenerCount("error")).toBe(1);
    const ended = new Promise<void>((end) => void client.once("end", end));
    await asked(client, END).catch(() => undefined);
    await ended;
  });

  test("one that is lost may tell so once more", async () => {
    const client = await clientOf();
    const database = await of(client, true);
    const ended = new Promise<void>((end) => void client.once("end", end));
    const { code } = await failureOf(database, () => database.query(END));
    expect(["57P01", "08006"]).toContain(code);
    await database.close();
    await ended;
    expect(client.listenerCount("error")).toBe(1);
  });

  async function clientOf(): Promise<pg.Client> {
    const client = new pg.Client({ ...serverOptions(place), ...limits });
    given.push(client);
    await client.connect();
    return client;
  }

  /** What an application asks, however long that takes. */
  function asked(client: pg.Client, text: string): Promise<pg.QueryResult> {
    return client.query({ text, ...{ query_timeout: 30_000 } });
  }

  async function unanswered(database: Database, sql: string): Promise<void> {
    expect((await failureOf(database, () => database.query(sql))).code).toBe("08006");
  }
});

describe("mysql", () => {
  const noCluster = "SIGNAL SQLSTATE '08S01' SET MYSQL_ERRNO = 1047";
  beforeAll(async () => void (place = await placeOn("mysql")));

  test.each(["promises", "callbacks"])(
    "a connection with %s to a node that left its cluster for a while is as it was",
    async (face) => {
      const behind = connectionOf();
      const connection = behind.promise();
      await connection.query("SET autocommit = 0");
      const before = behind.listenerCount("error");
      for (let round = 0; round < 3; round += 1) {
        const database = await of(face === "promises" ? connection : behind, true);
        await database.begin();
        expect((await failureOf(database, () => database.execute(noCluster))).code).toBe("1047");
        await database.rollback();
        await database.close();
        const [rows] = await connection.query("SELECT @@autocommit AS a");
        expect(rows).toEqual([{ a: 0 }]);
      }
      expect(behind.listenerCount("error") - before).toBe(1);
    },
  );

  test("nor does it come back in a transaction", async () => {
    const connection = connectionOf();
    await place.table(await place.open());
    const database = await of(connection, true);
    await database.begin();
    await database.execute(CHANGE);
    expect((await failureOf(database, () => database.execute(noCluster))).code).toBe("1047");
    await database.close();
    await connection.promise().query("INSERT INTO t VALUES (4, 'v4')");
    expect(await stored()).toEqual(["v1", "v2", "v3", "v4"]);
  });

  test("one that is lost may tell so once more", async () => {
    const connection = connectionOf();
    const database = await of(connection, true);
    const { stream } = connection as unknown as { stream: Socket };
    const ended = new Promise<void>((end) => void stream.once("close", () => end()));
    const { code } = await failureOf(database, () => database.execute("KILL CONNECTION_ID()"));
    expect(["1317", "1927", "2013"]).toContain(code);
    await failureOf(database, () => database.query("SELECT 1"));
    await database.close();
    await ended;
    expect(connection.listenerCount("error")).toBeGreaterThan(0);
  });

  function connectionOf(): mysql.Connection {
    const connection = mysql.createConnection(serverOptions(place));
    given.push({ end: () => connection.destroy() });
    return connection;
  }
});

async function placeOn(kind: "postgresql" | "mysql"): Promise<Place> {
  return new Place(kind, await ownDatabase(servers()[kind], "unanswered"));
}

/** A row that another connection holds until it is let go. */
async function heldRow(): Promise<{ letGo(): Promise<void> }> {
  const holder = await place.open();
  await place.table(holder);
  await holder.begin();
  await holder.execute("UPDATE t SET v = 'held' WHERE id = 1");
  return { letGo: () => holder.commit() };
}

/** What others see. */
async function stored(): Promise<unknown[]> {
  const other = await place.open();
  return (await other.query("SELECT v FROM t ORDER BY id")).map(([v]) => v);
}
