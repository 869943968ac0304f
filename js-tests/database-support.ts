// Databases for tests, and how to speak to each of them.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect, type Database, type Failure } from "../wasm/ts/database.js";
import { parseDatabaseUrl } from "../wasm/ts/database-url.js";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

export type Kind = "postgresql" | "mysql" | "sqlite";
export const KINDS: readonly Kind[] = ["postgresql", "mysql", "sqlite"];
export const SERVERS: readonly Kind[] = ["postgresql", "mysql"];
export const SECRET = "s3cret-plaintext";
/** What a database calls a failure. */
export const CODES: Record<string, Partial<Record<Kind, string>>> = {
  unique: { postgresql: "23505", mysql: "1062", sqlite: "2067" },
  "missing table": { postgresql: "42P01", mysql: "1146", sqlite: "1" },
  "missing column": { postgresql: "42703", mysql: "1054", sqlite: "1" },
  null: { postgresql: "23502", mysql: "1048", sqlite: "1299" },
  lock: { postgresql: "55P03", mysql: "1205", sqlite: "5" },
  deadlock: { postgresql: "40P01", mysql: "1213" },
  "too long": { postgresql: "22001", mysql: "1406" },
  time: { postgresql: "57014", mysql: "1969" },
  denied: { postgresql: "42501", mysql: "1142", sqlite: "8" },
  unreachable: { postgresql: "08001", mysql: "2003", sqlite: "14" },
  password: { postgresql: "28P01", mysql: "1045" },
};
/** What it calls a connection that is lost. */
export const LOST: Partial<Record<Kind, string[]>> = {
  postgresql: ["57P01", "08006"],
  mysql: ["2006", "2013", "1927"],
};

/** The URLs of a PostgreSQL and a MariaDB, which stop when the test run ends. */
export function servers(): Record<Kind, string> {
  const script = fileURLToPath(new URL("../scripts/databases.py", import.meta.url));
  const options = ["start", "--while", String(process.ppid)];
  return JSON.parse(execFileSync("python3", [script, ...options], { encoding: "utf8" }));
}

/** A database of its own for a file of tests: others use the same server. */
export async function ownDatabase(url: string, name: string): Promise<string> {
  const database = await connect(url);
  await database.execute(`CREATE DATABASE ${name}`);
  await database.close();
  return url.replace(/\/[^/?]*(\?|$)/, `/${name}$1`);
}

const TYPES: Record<Kind, Record<"text" | "bytes" | "int", string>> = {
  postgresql: { text: "text", bytes: "bytea", int: "bigint" },
  mysql: { text: "longtext", bytes: "longblob", int: "bigint" },
  sqlite: { text: "text", bytes: "blob", int: "integer" },
};

/** A database of one kind. */
export class Place {
  readonly #opened: Database[] = [];

  constructor(
    readonly kind: Kind,
    readonly url: string,
  ) {}

  get target() {
    return parseDatabaseUrl(this.url);
  }

  async open(url = this.url): Promise<Database> {
    const database = await connect(url);
    this.#opened.push(database);
    return database;
  }

  keep(database: Database): Database {
    this.#opened.push(database);
    return database;
  }

  type(name: "text" | "bytes" | "int"): string {
    return TYPES[this.kind][name];
  }

  mark(number: number, cast?: string): string {
    if (this.kind !== "postgresql") return "?";
    return cast === undefined ? `$${number}` : `$${number}::${cast}`;
  }

  quoted(name: string): string {
    const mark = this.kind === "mysql" ? "`" : '"';
    return mark + name.replaceAll(mark, mark + mark) + mark;
  }

  async clean(): Promise<void> {
    for (const database of this.#opened) await database.close();
    const cleaner = await connect(this.url);
    for (const table of ["t", "u"]) await cleaner.execute(`DROP TABLE IF EXISTS ${table}`);
    await cleaner.close();
  }

  /** The table `t` with the rows 1, 2, 3, as far as they are asked for. */
  async table(database: Database, rows = 3): Promise<void> {
    await database.execute("CREATE TABLE t (id integer primary key, v varchar(40) not null)");
    for (let number = 1; number <= rows; number += 1) {
      const sql = `INSERT INTO t VALUES (${this.mark(1)}, ${this.mark(2)})`;
      await database.execute(sql, [number, `v${number}`]);
    }
  }

  async kill(victim: Database): Promise<void> {
    const killer = await this.open();
    if (this.kind === "postgresql") {
      const [[number] = []] = await victim.query("SELECT pg_backend_pid()");
      await killer.query("SELECT pg_terminate_backend($1)", [Number(number)]);
    } else {
      const [[number] = []] = await victim.query("SELECT connection_id()");
      await killer.execute(`KILL ${String(number)}`);
    }
  }
}

/** Where a driver connects to. */
export function serverOptions({ target: { host, port, user, password, database } }: Place) {
  return { host, port, user: user!, password: password!, database };
}

/** What a step fails with; and it shows no secret. */
export async function failureOf(database: Database, step: () => unknown): Promise<Failure> {
  let thrown: unknown;
  try {
    await step();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeDefined();
  const failure = database.failure(thrown);
  expect(failure.message).not.toContain(SECRET);
  expect(failure.message).not.toBe("");
  expect(failure.message).not.toContain("\n");
  return failure;
}

/** How many rows `t` has. */
export const rowCount = async (database: Database) => {
  const [[count] = []] = await database.query("SELECT count(*) FROM t");
  return count;
};

type Scenario = (place: Place) => Promise<void>;

/** What has scenarios run on databases of this name, which are those of one file of tests. */
export function onDatabases(own: string) {
  let folder: string;
  let running: Record<Kind, string>;
  let place: Place;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "reseal-database-"));
    const { postgresql, mysql } = servers();
    running = {
      postgresql: await ownDatabase(postgresql, own),
      mysql: await ownDatabase(mysql, own),
      sqlite: `sqlite:///${folder}/app.db`,
    };
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** A scenario on each of these databases. */
  return function on(kinds: readonly Kind[], name: string, scenario: Scenario): void {
    for (const kind of kinds) {
      describe(kind, () => {
        beforeEach(() => {
          if (kind === "sqlite") writeFileSync(join(folder, "app.db"), "");
          place = new Place(kind, running[kind]);
        });
        afterEach(() => place.clean());
        test(name, () => scenario(place));
      });
    }
  };
}
