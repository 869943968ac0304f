// What a session gets of its database; the jobs themselves are in jobs.test.ts.
import { expect, test } from "vitest";
import Sqlite from "libsql";
import { runSession } from "../wasm/ts/cli-session.js";

test("of a connection that cannot be used, code and message come in", async () => {
  const turns = [["connect"], ["query", "SELECT ?", [1.5]], ["ended", 2]];
  const answers: unknown[] = [];
  const session = {
    next: (...answer: unknown[]) => (answers.push(answer), turns.shift()),
    canWorkAhead: () => false,
    free: () => undefined,
  };
  const host = { interrupted: () => false, onInterrupt: () => undefined };
  const code = await runSession(session as never, host, new Sqlite(":memory:"));
  expect(code).toBe(2);
  const why = "a value is null, an integer, a string or bytes";
  expect(answers).toEqual([
    ["start", undefined],
    ["connected", "sqlite"],
    ["unconnected", ["invalid-argument", why]],
  ]);
});
