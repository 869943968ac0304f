// The bulk job as a library, on SQLite. The command has the same tests in py-tests.
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";
import mysql from "mysql2/promise";
import pg from "pg";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { codecs, Column, Manifest, ResealError, type ErrorCode } from "reseal";
import * as jobs from "reseal/jobs";
import {
  apply,
  census,
  discover,
  JobError,
  plan,
  verify,
  type ApplyOptions,
  type ColumnReport,
  type JobDatabase,
  type JobEvent,
  type JobReport,
} from "reseal/jobs";
import { connect } from "../wasm/ts/database.js";
import { parseDatabaseUrl } from "../wasm/ts/database-url.js";
import { servers } from "./database-support.js";
import { CONTEXT, KEY, LOST, MANIFEST, numbered, Project } from "./jobs-support.js";

const PLAIN = MANIFEST.replace('write = "app"', 'write = "plain"');

beforeAll(() => void (process.env["RESEAL_PRIMARY_KEY"] = KEY.export()));
afterAll(() => void delete process.env["RESEAL_PRIMARY_KEY"]);

const projects: Project[] = [];
afterEach(() => projects.splice(0).forEach((project) => project.remove()));

function projectOf(...what: ConstructorParameters<typeof Project>): Project {
  const project = new Project(...what);
  projects.push(project);
  return project;
}

/** The one column of a report. */
function only(report: JobReport): ColumnReport {
  expect(report.columns).toHaveLength(1);
  return report.columns[0]!;
}

async function refuses(code: ErrorCode, call: Promise<unknown>): Promise<ResealError> {
  const error: unknown = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(ResealError);
  expect((error as ResealError).code, (error as ResealError).message).toBe(code);
  expect((error as ResealError).message).not.toMatch(/rsk1|person/);
  // Options have their names of JavaScript.
  if (code === "invalid-argument") {
    expect((error as ResealError).message).not.toMatch(/\b[a-z]+_[a-z]+\b/);
  }
  return error as ResealError;
}

test("it exports six jobs and an error", () => {
  const names = ["JobError", "apply", "census", "discover", "plan", "retire", "verify"];
  expect(Object.keys(jobs).sort()).toEqual(names);
  expect(Object.keys(createRequire(import.meta.url)("reseal/jobs")).sort()).toEqual(names);
});

test("apply encrypts plaintext, and then nothing is left", async () => {
  const project = projectOf(1234);
  const { url, manifest } = project;
  const report = await apply(url, { manifest, batch: 100 });
  expect(report).toMatchObject({ work: "apply", end: "complete", dry_run: false });
  const { total, passes } = only(report);
  expect(passes).toHaveLength(2);
  expect(total.resealed).toEqual([
    {
      from: { codec: "plain", key: null, scheme: "plain" },
      to: { codec: "app", key: KEY.id, scheme: "random" },
      values: 1234,
    },
  ]);
  expect(project.opened()).toEqual(numbered(1234).map(([, name]) => name));
  const before = project.stored();
  const again = only(await apply(url, { manifest })).total;
  expect(again).toMatchObject({ scanned: 1234, current: 1234, resealed: [] });
  expect(project.stored()).toEqual(before);
});

test("a report is what the command prints", async () => {
  const project = projectOf(30);
  const { url, manifest } = project;
  const database = project.open();
  database.exec("CREATE TABLE old AS SELECT id, ssn AS token FROM users");
  database.exec(`UPDATE users SET ssn = '${LOST}' WHERE id = 7`);
  const key = KEY.export();
  database.prepare("UPDATE old SET token = ? WHERE id = 3").run([key]);
  database.close();
  const called = {
    census: await census(url, { manifest }),
    discover: await discover(url, { manifest }),
    plan: await plan(url, { manifest }),
    verify: await verify(url, { manifest }),
    apply: await apply(url, { manifest, dryRun: true }),
  };
  expect(called.discover.discovered).toEqual([
    { table: "old", column: "token", values: 30, key_like: 1, found: [] },
  ]);
  for (const [command, { milliseconds, ...report }] of Object.entries(called)) {
    expect(milliseconds).toBeGreaterThanOrEqual(0);
    const more = command === "apply" ? ["--dry-run"] : [];
    const { out, err } = await project.run(command, "--db", url, "--json", ...more);
    const { milliseconds: _, ...printed } = JSON.parse(out) as JobReport;
    expect(printed, err).toEqual(report);
  }
});

test("what is refused is told, listed, and may end the job", async () => {
  const project = projectOf(20);
  const { url, manifest } = project;
  const database = project.open();
  database.exec(`UPDATE users SET ssn = '${LOST}' WHERE id IN (3, 5, 7)`);
  database.close();
  const events: JobEvent[] = [];
  const refused = project.path("refused.jsonl");
  const report = await apply(url, { manifest, refused, onEvent: (event) => events.push(event) });
  expect(only(report).total.refused).toEqual({ "unknown-key": 3 });
  expect(report.end).toBe("complete");
  const lines = project.read("refused.jsonl").trim().split("\n");
  const listed = lines.map((line) => JSON.parse(line) as object);
  expect(listed.map((line) => ({ event: "refused", ...line }))).toEqual(
    events.filter(({ event }) => event === "refused"),
  );
  expect(listed[0]).toEqual({
    ...{ table: "users", column: "ssn", row_id: ["3"], code: "unknown-key", pass: 1 },
  });
  const few = await verify(url, { manifest, maxRefused: 1, batch: 1 });
  expect(few.end).toBe("too-many-refused");
});

test("it is stopped after a batch, and goes on from there", async () => {
  const project = projectOf(300);
  const { url, manifest } = project;
  const controller = new AbortController();
  const events: JobEvent[] = [];
  const running = apply(url, {
    ...{ manifest, batch: 5, pauseMs: 20, stop: controller.signal },
    onEvent: (event) => events.push(event),
  });
  while (project.sealed() === 0) await new Promise((resume) => setTimeout(resume, 5));
  controller.abort();
  expect((await running).end).toBe("stopped");
  const done = project.sealed();
  expect(done).toBeGreaterThan(0);
  expect(done).toBeLessThan(300);
  expect(done % 5).toBe(0);
  const rest = await apply(url, { manifest, onEvent: (event) => events.push(event) });
  expect(events).toContainEqual({ event: "resumed", pass: 1, rows: done });
  expect(rest.end).toBe("complete");
  expect(project.opened()).toEqual(numbered(300).map(([, name]) => name));
  // The counts are those of both.
  expect(only(rest).total.resealed[0]?.values).toBe(300);
});

test("a long pause ends when it is stopped, and one that was stopped before does nothing", async () => {
  const project = projectOf(10);
  const { url, manifest } = project;
  const controller = new AbortController();
  const pauseMs = 2 ** 40;
  const running = apply(url, { manifest, batch: 1, pauseMs, stop: controller.signal });
  while (project.sealed() === 0) await new Promise((resume) => setTimeout(resume, 5));
  controller.abort();
  expect((await running).end).toBe("stopped");
  const before = project.sealed();
  expect((await apply(url, { manifest, stop: controller.signal })).end).toBe("stopped");
  expect(project.sealed()).toBe(before);
});

test("a synchronous driver lets the program go on beside", async () => {
  const { url, manifest } = projectOf(100_000);
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 1);
  const report = await apply(url, { manifest, stop: controller.signal });
  expect(report.end).toBe("stopped");
});

test("a job that is shared is one that others may join", async () => {
  const { url, manifest } = projectOf(300);
  const shared = { manifest, share: true, workerLease: 5, batch: 10 };
  const report = await apply(url, shared);
  expect(report.end).toBe("complete");
  expect(only(report).passes[0]?.resealed[0]?.values).toBe(300);
  // Another run finds nothing to do.
  expect(only(await apply(url, shared)).total).toMatchObject({ current: 300, resealed: [] });
  const error = await refuses("invalid-argument", apply(url, { ...shared, dryRun: true }));
  expect(error.message).toMatch(/^share is for apply/);
  await refuses("invalid-argument", apply(url, { ...shared, workerLease: 0 }));
  const alone = await refuses("invalid-argument", apply(url, { manifest, workerLease: 5 }));
  expect(alone.message).toMatch(/several share/);
});

test("two jobs run beside each other", async () => {
  const all = [projectOf(3000), projectOf(3000)];
  const reports = await Promise.all(
    all.map(({ url, manifest }) => apply(url, { manifest, batch: 50 })),
  );
  expect(reports.map(({ end }) => end)).toEqual(["complete", "complete"]);
  for (const project of all) expect(project.sealed()).toBe(3000);
});

test("an open connection is given back as it was", async () => {
  const project = projectOf(100);
  const { manifest } = project;
  const database = project.open();
  database.exec("PRAGMA busy_timeout = 1234");
  const before = process.listenerCount("SIGINT") + process.listenerCount("SIGTERM");
  const seen = new Set<number>();
  database.exec(`UPDATE users SET ssn = '${LOST}' WHERE id = 3`);
  const report = await apply(database, {
    ...{ manifest, statementTimeoutMs: 77 },
    onEvent: () => {
      seen.add(process.listenerCount("SIGINT") + process.listenerCount("SIGTERM"));
    },
  });
  expect(only(report).total.resealed[0]?.values).toBe(99);
  expect([...seen]).toEqual([before]);
  expect(database.prepare("PRAGMA busy_timeout").raw(true).get()).toEqual([1234]);
  expect(database.inTransaction).toBe(false);

  database.exec("BEGIN");
  database.exec("DELETE FROM users WHERE id = 1");
  await refuses("invalid-argument", census(database, { manifest }));
  expect(database.inTransaction).toBe(true);
  database.exec("COMMIT");
  expect(project.stored()).toHaveLength(99);
  database.close();
  await refuses("invalid-argument", census(database, { manifest }));
});

const SETTINGS = {
  postgresql: ["SET statement_timeout = 12345", "SELECT current_setting('statement_timeout')"],
  mysql: [
    "SET SESSION sql_mode = 'ANSI_QUOTES', max_statement_time = 1.5, autocommit = 0, sql_select_limit = 1",
    "SELECT @@sql_mode, @@max_statement_time, @@autocommit, @@sql_select_limit, @@max_sort_length",
  ],
} as const;

test.each(["postgresql", "mysql"] as const)(
  "a connection of %s keeps its settings, and a pool its connections",
  async (kind) => {
    const { manifest, ring } = projectOf(0);
    const url = servers()[kind];
    const { host, port, user, password, database } = parseDatabaseUrl(url);
    const where = { host, port, user: user!, password: password!, database };
    const setUp = await connect(url);
    await setUp.execute("DROP TABLE IF EXISTS users");
    await setUp.execute("CREATE TABLE users (id bigint PRIMARY KEY, ssn text)");
    await setUp.execute("INSERT INTO users VALUES (1, 'person 1'), (2, NULL)");
    const pool = kind === "mysql" ? mysql.createPool(where) : new pg.Pool(where);
    const one = kind === "mysql" ? await mysql.createConnection(where) : new pg.Client(where);
    if (one instanceof pg.Client) await one.connect();
    const [set, get] = SETTINGS[kind];
    const asked = async (sql: string) =>
      one instanceof pg.Client
        ? (await one.query({ text: sql, rowMode: "array" })).rows
        : (await one.query({ sql, rowsAsArray: true }))[0];
    await asked(set);
    const before = await asked(get);
    const thrown = apply(one, {
      ...{ manifest, statementTimeoutMs: 60_000 },
      onEvent: () => {
        throw new Error("mine");
      },
    });
    await expect(thrown).rejects.toThrow("mine");
    expect(await asked(get)).toEqual(before);
    const report = await apply(one, { manifest, statementTimeoutMs: 60_000 });
    expect(only(report).total).toMatchObject({ scanned: 2, null: 1, left: 0 });
    expect(await asked(get)).toEqual(before);
    expect((await verify(pool, { manifest })).columns[0]?.total.found[0]?.values).toBe(1);
    const [[stored] = []] = await setUp.query("SELECT ssn FROM users WHERE id = 1");
    expect(ring.openString(stored as string, CONTEXT)).toBe("person 1");
    // Both would wait for ever for what was not given back.
    await pool.end();
    await one.end();
    await setUp.execute("DROP TABLE users");
    await setUp.execute("DROP TABLE reseal_jobs");
    await setUp.close();
  },
);

test("what onEvent throws ends the job, and leaves no transaction", async () => {
  const project = projectOf(10);
  const { manifest } = project;
  const database = project.open();
  database.exec(`UPDATE users SET ssn = '${LOST}' WHERE id = 3`);
  const mine = new Error("mine");
  const onEvent = () => {
    throw mine;
  };
  const share = { share: true, workerLease: 600 };
  const options = { manifest, onEvent, statementTimeoutMs: 77 };
  for (const job of [
    () => apply(database, options),
    () => apply(database, { ...options, ...share }),
    () => census(database, options),
  ]) {
    database.exec("PRAGMA busy_timeout = 1234");
    await expect(job()).rejects.toBe(mine);
    expect(database.inTransaction).toBe(false);
    expect(database.prepare("PRAGMA busy_timeout").raw(true).get()).toEqual([1234]);
  }
  // Nobody waits for a lease.
  expect((await apply(database, { manifest, ...share })).end).toBe("complete");
  database.exec("DELETE FROM users WHERE id = 3");
  expect((await apply(database, { manifest })).end).toBe("complete");
  expect(project.sealed()).toBe(9);
  database.close();
});

test("so does what a promise of onEvent is rejected with", async () => {
  const project = projectOf(10);
  const { manifest, url } = project;
  const database = project.open();
  database.exec(`UPDATE users SET ssn = '${LOST}' WHERE id = 3`);
  const mine = new Error("mine");
  for (const wait of [0, 50]) {
    const onEvent = async () => {
      await new Promise((resume) => setTimeout(resume, wait));
      throw mine;
    };
    const job = apply(database, { manifest, onEvent, batch: 1, pauseMs: 50 });
    await expect(job).rejects.toBe(mine);
    expect(database.inTransaction).toBe(false);
  }
  const seen: JobEvent[] = [];
  const report = await apply(url, { manifest, onEvent: async (event) => void seen.push(event) });
  expect(report.end).toBe("complete");
  expect(seen.length).toBeGreaterThan(1);
  database.close();
});

test("of two jobs on one connection the second is refused", async () => {
  const project = projectOf(3000);
  const { manifest } = project;
  const database = project.open();
  const first = apply(database, { manifest, batch: 50 });
  const error = await refuses("invalid-argument", apply(database, { manifest }));
  expect(error.message).toContain("another job has this connection");
  expect((await first).end).toBe("complete");
  expect((await apply(database, { manifest })).end).toBe("complete");
  expect(project.sealed()).toBe(3000);
  database.close();
});

test("that holds where both formats of the package are loaded", async () => {
  const project = projectOf(3000);
  const { manifest } = project;
  const twin = createRequire(import.meta.url)("reseal/jobs") as typeof jobs;
  const database = project.open();
  const first = apply(database, { manifest, batch: 50 });
  await expect(twin.apply(database, { manifest })).rejects.toMatchObject({
    code: "invalid-argument",
    message: expect.stringContaining("another job has this connection"),
  });
  expect((await first).end).toBe("complete");
  expect((await twin.apply(database, { manifest })).end).toBe("complete");
  database.close();
});

/** A program in CommonJS that does what jest does: its modules run in a vm that imports nothing. */
const IN_VM = `
  const { readFileSync } = require("node:fs");
  const { dirname } = require("node:path");
  const { runInThisContext } = require("node:vm");
  const path = require.resolve("reseal/jobs");
  const names = "module, exports, require, __filename, __dirname";
  const code = \`(function (\${names}) {\${readFileSync(path, "utf8")}\\n})\`;
  const module_ = { exports: {} };
  runInThisContext(code)(module_, module_.exports, require, path, dirname(path));
  module_.exports.apply(process.argv[1]).then(({ end }) => console.log(end));
`;

test("a program that runs in a vm has its driver", () => {
  const project = projectOf(10);
  const options = { cwd: project.folder, encoding: "utf8" } as const;
  const output = execFileSync(process.execPath, ["--eval", IN_VM, project.url], options);
  expect(output).toBe("complete\n");
  expect(project.sealed()).toBe(10);
});

test("its module is missing", () => {
  const project = projectOf(10);
  const bundle = project.path("bundle.cjs");
  writeFileSync(bundle, readFileSync(createRequire(import.meta.url).resolve("reseal/jobs")));
  const program = `
    const { apply } = require(process.argv[1]);
    const { ResealError } = require("reseal");
    apply("sqlite:///app.db").catch((error) => {
      console.log(error instanceof ResealError, error.code, error.message);
    });
  `;
  const options = { cwd: project.folder, encoding: "utf8" } as const;
  const output = execFileSync(process.execPath, ["--eval", program, bundle], options);
  expect(output).toMatch(/^true not-initialized reseal-cli\.wasm could not be loaded: ENOENT/);
});

test("a manifest is a file, its URL, or what was loaded", async () => {
  const project = projectOf(1);
  const { url, manifest } = project;
  const expected = { ...(await census(url, { manifest })), milliseconds: 0 };
  for (const given of [
    new URL(`file://${manifest}`),
    Manifest.load(manifest),
    Manifest.parse(readFileSync(manifest, "utf8")),
  ]) {
    expect({ ...(await census(url, { manifest: given })), milliseconds: 0 }).toEqual(expected);
  }
});

test("the database of the environment", async () => {
  const { url, manifest } = projectOf(2);
  await refuses(
    "invalid-argument",
    census(undefined, { manifest }).catch((error: unknown) => {
      // It names the variable.
      expect((error as Error).message).toContain("RESEAL_DATABASE_URL");
      throw new ResealError("invalid-argument", "no database");
    }),
  );
  process.env["RESEAL_DATABASE_URL"] = url;
  try {
    expect(only(await census(undefined, { manifest })).total.scanned).toBe(2);
  } finally {
    delete process.env["RESEAL_DATABASE_URL"];
  }
});

test("row ids and values of every kind", async () => {
  const large = [-(2n ** 63n), -1n, 0n, 2n ** 53n + 1n, 2n ** 63n - 1n];
  const texts = ["", "Grüße 👋🏽", 'it\'s \\ "x"', " trailing ", "x".repeat(100_000)];
  const bytes = large.map((_, at) => Uint8Array.of(0, 255, at));
  for (const [ids, type] of [
    [large, "INTEGER"],
    [texts, "TEXT"],
    [bytes, "BLOB"],
  ] as const) {
    const project = projectOf(
      ids.map((id, at) => [id, texts[at]]),
      type,
    );
    const { url, manifest } = project;
    const report = await apply(url, { manifest, batch: 2, verifyOneIn: 1 });
    expect(only(report).total).toMatchObject({ verified: 5, refused: {}, left: 0 });
    expect([...project.opened()].sort()).toEqual([...texts].sort());
  }
});

test("NULL stays, and an integer is its digits", async () => {
  const project = projectOf([
    [1, null],
    [2, "a"],
    [3, 7],
  ]);
  const { url, manifest, ring } = project;
  const report = await apply(url, { manifest });
  expect(only(report).total.null).toBe(1);
  const [empty, ...others] = project.stored();
  expect(empty).toBe(null);
  expect(others.map((value) => ring.openString(value as string, CONTEXT))).toEqual(["a", "7"]);
});

test("named rows are repaired, and no other", async () => {
  process.env["FERNET_KEY"] = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
  const fernet = codecs.fernet({ keys: [process.env["FERNET_KEY"]] });
  const token = new Column({ write: fernet, read: [fernet] }).seal("twice") as string;
  for (const ids of [
    ["2", "4"],
    [2, 4],
    [2n, [4]],
  ]) {
    const project = projectOf(5, ids[0] === "2" ? "TEXT" : "INTEGER");
    const { url, manifest, ring } = project;
    writeFileSync(
      manifest,
      MANIFEST.replace('"plain"]', '"old", "plain"]').replace(
        "[[columns]]",
        '[codecs.old]\nkind = "fernet"\nkeys = ["env:FERNET_KEY"]\n[[columns]]',
      ),
    );
    const twice = ring.seal(token, CONTEXT);
    const database = project.open();
    database.prepare("UPDATE users SET ssn = ? WHERE id IN (2, 4, '2', '4')").run([twice]);
    database.close();
    const report = await apply(url, { manifest, repair: "unwrap", rows: ids.slice(0, 1) });
    expect(report.work).toBe("unwrap");
    expect(ring.openString(project.stored()[1] as string, CONTEXT)).toBe("twice");
    expect(project.stored()[3]).toBe(twice);
    await apply(url, { manifest, repair: "unwrap", rows: ids });
    expect(ring.openString(project.stored()[3] as string, CONTEXT)).toBe("twice");
    expect(project.stored()[0]).toBe("person 1");
  }
  delete process.env["FERNET_KEY"];
});

test("plaintext is written where somebody says so", async () => {
  const project = projectOf(3);
  const { url, manifest } = project;
  await apply(url, { manifest });
  writeFileSync(manifest, PLAIN);
  const error = await refuses("invalid-argument", apply(url, { manifest }));
  expect(error.message).toContain("allowPlaintext");
  expect(project.sealed()).toBe(3);
  await apply(url, { manifest, allowPlaintext: true });
  expect(project.stored()).toEqual(numbered(3).map(([, name]) => name));
});

test("a job that could not go on tells what it did", async () => {
  const project = projectOf(10);
  const { url, manifest } = project;
  const database = project.open();
  database.exec(
    // Not what a trigger raises by itself, which is a matter of that row: an overflow.
    "CREATE TRIGGER t BEFORE UPDATE ON users WHEN old.id = 7 BEGIN SELECT abs(-9223372036854775807 - 1); END",
  );
  const error = await refuses("database-error", apply(url, { manifest, batch: 2 }));
  expect(error).toBeInstanceOf(JobError);
  expect(error.name).toBe("JobError");
  const { report } = error as JobError;
  expect(report.end).toBe("failed");
  expect(report.error).toEqual({ code: error.code, message: error.message });
  expect(only(report).total.resealed[0]?.values).toBe(6);
  expect(project.sealed()).toBe(6);
  database.exec("DROP TRIGGER t");
  database.close();
  expect((await apply(url, { manifest })).end).toBe("complete");
  expect(project.sealed()).toBe(10);
});

test("the file of refused values cannot be written", async () => {
  const { url, manifest, folder } = projectOf(1);
  const error: unknown = await verify(url, { manifest, refused: folder }).catch(
    (error: unknown) => error,
  );
  expect((error as { code: unknown }).code).toBe("EISDIR");
});

test.each<[ErrorCode, JobDatabase | undefined, object]>([
  ["invalid-argument", "users.db", {}],
  ["invalid-argument", 7 as never, {}],
  ["invalid-argument", {} as never, {}],
  ["database-error", "sqlite:///nowhere.db", {}],
  ["invalid-argument", undefined, { nope: 1 }],
  ["invalid-argument", undefined, { dry_run: true }],
  ["invalid-argument", undefined, { batch: 0 }],
  ["invalid-argument", undefined, { batch: 5001 }],
  ["invalid-argument", undefined, { batch: "5" }],
  ["invalid-argument", undefined, { batch: Number.NaN }],
  ["invalid-argument", undefined, { rate: 0 }],
  ["invalid-argument", undefined, { pauseMs: -1 }],
  ["invalid-argument", undefined, { columns: "users.ssn" }],
  ["invalid-argument", undefined, { columns: ["users.nope"] }],
  ["invalid-argument", undefined, { columns: [] }],
  ["invalid-argument", undefined, { dryRun: 1 }],
  ["invalid-argument", undefined, { repair: "both", rows: [1] }],
  ["invalid-argument", undefined, { repair: "keep" }],
  ["invalid-argument", undefined, { rows: [1] }],
  ["invalid-argument", undefined, { repair: "keep", rows: [1.5] }],
  ["invalid-argument", undefined, { onEvent: 1 }],
  ["invalid-argument", undefined, { stop: true }],
  ["invalid-argument", undefined, { manifest: 1 }],
  ["source-unreadable", undefined, { manifest: "nowhere.toml" }],
])("it is refused: %s %s %o", async (code, database, options) => {
  const project = projectOf(1);
  const given = { manifest: project.manifest, ...options } as ApplyOptions;
  await refuses(code, apply(database ?? project.url, given));
  expect(project.sealed()).toBe(0);
});

test("a manifest that does not fit", async () => {
  const { url, manifest } = projectOf(1);
  writeFileSync(manifest, MANIFEST.replace('"users"', '"people"'));
  await refuses("column-unsuitable", apply(url, { manifest }));
  writeFileSync(manifest, "version = 1\n[[columns]]\n");
  await refuses("manifest-invalid", apply(url, { manifest }));
  writeFileSync(manifest, MANIFEST);
  delete process.env["RESEAL_PRIMARY_KEY"];
  await refuses(
    "source-missing",
    apply(url, { manifest }).catch((error: unknown) => {
      expect(error).toBeInstanceOf(ResealError);
      throw new ResealError((error as ResealError).code, "the message names variables");
    }),
  );
  process.env["RESEAL_PRIMARY_KEY"] = KEY.export();
});
