// Databases for tests, and how to speak to each of them.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { connect, type Database, type Failure } from "../wasm/ts/database.js";
import { parseDatabaseUrl } from "../wasm/ts/database-url.js";
import { expect } from "vitest";

export type Kind = "postgresql" | "mysql" | "sqlite";
export const KINDS: readonly Kind[] = ["postgresql", "mysql", "sqlite"];
export const SERVERS: readonly Kind[] = ["postgresql", "mysql"];
export const SECRET = "s3cret-plaintext";

/** The URLs of a PostgreSQL and a MariaDB, which stop when the test run ends. */
export function servers(): Record<Kind, string> {
  const script = fileURLToPath(new URL("../scripts/databases.py", import.meta.url));
  const options = ["start", "--while", String(process.ppid)];
  return JSON.parse(execFileSync("python3", [script, ...options], { encoding: "utf8" }));
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
