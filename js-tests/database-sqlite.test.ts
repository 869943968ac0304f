// The packages that open a SQLite, Node's own among them.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Sqlite from "libsql";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSqlite } from "../wasm/ts/database-sqlite.js";

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "reseal-database-"))));
afterAll(() => rmSync(folder, { recursive: true }));

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
