// The commands that work on a database, as far as Node is their host: signals, its event loop, its
// memory. What both packages do alike is tested in py-tests.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { afterEach, beforeAll, expect, test } from "vitest";
import { connect } from "../wasm/ts/database.js";
import { ownDatabase, servers } from "./database-support.js";
import { ended, numbered, Project, until } from "./jobs-support.js";

const RESUMABLE = 5;

let postgres: string;
beforeAll(async () => void (postgres = await ownDatabase(servers().postgresql, "cli_jobs")));

const projects: Project[] = [];
afterEach(() => projects.splice(0).forEach((project) => project.remove()));

function projectOf(rows: number): Project {
  const project = new Project(rows);
  projects.push(project);
  return project;
}

test.each(["SIGINT", "SIGTERM"] as const)("%s ends a job after its batch", async (signal) => {
  const project = projectOf(100);
  const slowly = ["--batch", "1", "--pause", "200"];
  const child = project.start("apply", "--db", project.url, ...slowly);
  const end = ended(child);
  await until(() => project.sealed() > 0);
  child.kill(signal);
  const stopped = await end;
  expect(stopped).toMatchObject({ code: RESUMABLE, signal: null });
  expect(stopped.err).toContain("stopped: the same command goes on from there");
  expect(project.sealed()).toBeLessThan(100);
  const rest = await project.run("apply", "--db", project.url);
  expect(rest.code, rest.err).toBe(0);
  expect(rest.err).toContain("goes on from where an earlier run stopped");
  expect(project.opened()).toEqual(numbered(100).map(([, name]) => name));
});

test("a long pause is not waited for", async () => {
  const project = projectOf(3);
  const child = project.start(
    "apply",
    "--db",
    project.url,
    "--batch",
    "1",
    "--pause",
    "9999999999",
  );
  const end = ended(child);
  await until(() => project.sealed() > 0);
  child.kill("SIGINT");
  expect(await end).toMatchObject({ code: RESUMABLE, signal: null });
});

test("a synchronous driver lets ^C through", async () => {
  const project = projectOf(100_000);
  const child = project.start("apply", "--db", project.url, "--checkpoint", "none");
  const end = ended(child);
  await until(() => project.sealed() > 0);
  child.kill("SIGINT");
  const stopped = await end;
  expect(stopped).toMatchObject({ code: RESUMABLE, signal: null });
  expect(stopped.err).toContain("stopped: the same command begins anew");
});

test("a driver that never answers is a failure of the database", async () => {
  const project = projectOf(1);
  rmSync(project.path("node_modules"));
  mkdirSync(project.path("node_modules/pg"), { recursive: true });
  const client = "exports.Client = class { on() {} connect() { return new Promise(() => {}); } };";
  writeFileSync(project.path("node_modules/pg/index.js"), client);
  const args = ["discover", "--db", "postgresql://127.0.0.1/app"];
  const end = await project.run(...args);
  expect(end).toMatchObject({ code: 4, out: "", signal: null });
  expect(end.err).toMatch(
    /^error: the driver of the database gave no answer.* \[database-error\]\n$/,
  );
  const { error } = JSON.parse((await project.run(...args, "--json")).err) as { error: unknown };
  expect(error).toMatchObject({ code: "database-error", exit: 4 });
});

test("^C for the second time ends it at once", async () => {
  const project = projectOf(1);
  const holder = await connect(postgres);
  await holder.execute("DROP TABLE IF EXISTS users");
  await holder.execute("CREATE TABLE users (id bigint PRIMARY KEY, ssn text)");
  await holder.execute("INSERT INTO users VALUES (1, 'person')");
  await holder.begin();
  await holder.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE");
  const child = project.start("verify", "--db", postgres);
  const end = ended(child);
  // It waits for the lock.
  const waiting =
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
  const watcher = await connect(postgres);
  while ((await watcher.query(waiting))[0]?.[0] === 0);
  // Two signals at once would be one.
  const pressing = setInterval(() => child.kill("SIGINT"), 200);
  expect(await end).toMatchObject({ code: null, signal: "SIGINT" });
  clearInterval(pressing);
  await holder.rollback();
  await holder.execute("DROP TABLE users");
  await holder.close();
  await watcher.close();
});

test("^C while it connects ends it as any program", async () => {
  const project = projectOf(1);
  let isReached = false;
  const server = createServer(() => void (isReached = true));
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as { port: number };
  const child = project.start("census", "--db", `postgresql://127.0.0.1:${port}/x`);
  const end = ended(child);
  await until(() => isReached);
  child.kill("SIGINT");
  expect(await end).toEqual({ code: null, signal: "SIGINT", out: "", err: "" });
  server.close();
});

test("a server's connection does not keep the process", async () => {
  const project = projectOf(1);
  const database = await connect(postgres);
  await database.execute("DROP TABLE IF EXISTS users");
  await database.execute("CREATE TABLE users (id bigint PRIMARY KEY, ssn text)");
  await database.execute(
    "INSERT INTO users SELECT n, 'person ' || n FROM generate_series(1, 1500) n",
  );
  const done = await project.run("apply", "--db", postgres);
  expect(done.code, done.err).toBe(0);
  const rows = await database.query("SELECT ssn FROM users ORDER BY id");
  const texts = rows.map(([value]) =>
    project.ring.openString(value as string, { table: "users", column: "ssn" }),
  );
  expect(texts).toEqual(numbered(1500).map(([, name]) => name));
  const failed = await project.run(
    "apply",
    "--db",
    postgres.replace(/\/[^/?]*(\?|$)/, "/nowhere$1"),
  );
  expect(failed.code).toBe(4);
  expect(failed.err).toContain("[database-error]");
  await database.execute("DROP TABLE users, reseal_jobs");
  await database.close();
});

test("memory does not grow with the table", () => {
  const grown = (rows: number) => {
    const project = projectOf(rows);
    const program = `
      import { apply } from "reseal/jobs";
      const { PROJECT: folder } = process.env;
      const manifest = folder + "/reseal.toml";
      const report = await apply("sqlite:///" + folder + "/app.db", { manifest });
      if (report.columns[0].total.scanned !== ${rows}) throw new Error("never");
      console.log(process.resourceUsage().maxRSS);
    `;
    const small = ["--max-semi-space-size=4", "--max-old-space-size=40"];
    return Number(project.program(program, ...small));
  };
  const [few, many] = [grown(5_000), grown(80_000)];
  expect((many - few) / 1024).toBeLessThan(20);
});
