// Transactions and counts in the drivers of the bulk job; py-tests/test_database_transactions.py is the twin.
import { expect } from "vitest";
import { failureOf, KINDS, onDatabases, rowCount } from "./database-support.js";

const on = onDatabases("database_transactions");

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
