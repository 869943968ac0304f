// Databases that let nobody in, and encryption on the way; py-tests/test_database_connect.py is the twin.
import { createServer } from "node:net";
import { inspect } from "node:util";
import { expect } from "vitest";
import { connect, DatabaseError } from "../wasm/ts/database.js";
import { parseDatabaseUrl } from "../wasm/ts/database-url.js";
import { ResealError } from "../wasm/ts/errors.js";
import { CODES, KINDS, onDatabases, SECRET, SERVERS } from "./database-support.js";

const on = onDatabases("database_connect");

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
