// Connections that are lost or closed, and what replaces them; py-tests/test_database_lost.py is the twin.
import { expect } from "vitest";
import { failureOf, KINDS, LOST, onDatabases, rowCount, SERVERS } from "./database-support.js";

const on = onDatabases("database_lost");

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
