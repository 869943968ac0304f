// A database of SQLite with plaintext in it, and a manifest that says to encrypt it.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Sqlite from "libsql";
import { Key, Keyring } from "reseal";

export const KEY = Key.fromBytes("data", new Uint8Array(32).fill(1));
export const CONTEXT = { table: "users", column: "ssn" };
/** A value under a key that nobody has any more. */
export const LOST = new Keyring({ primary: Key.generate() }).seal("lost", CONTEXT);
export const MANIFEST = `version = 1
[codecs.app]
kind = "reseal"
keyring = "env"
[[columns]]
table = "users"
column = "ssn"
row_id = ["id"]
context = { table = "users", column = "ssn" }
write = "app"
read = ["app", "plain"]
`;

const COMMAND = fileURLToPath(new URL("../wasm/dist/cli.cjs", import.meta.url));
// From there the command takes its driver, as from the project of a user.
const MODULES = fileURLToPath(new URL("node_modules", import.meta.url));

type Row = readonly [id: unknown, ssn: unknown];

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** A folder with `app.db` and `reseal.toml`. */
export class Project {
  readonly folder = mkdtempSync(join(tmpdir(), "reseal-jobs-"));
  readonly url = `sqlite:///${this.folder}/app.db`;
  readonly manifest = this.path("reseal.toml");
  readonly ring = new Keyring({ primary: KEY });

  constructor(rows: number | readonly Row[], type = "INTEGER") {
    writeFileSync(this.manifest, MANIFEST);
    symlinkSync(MODULES, this.path("node_modules"));
    const database = this.open();
    database.exec(`CREATE TABLE users (id ${type} PRIMARY KEY, ssn)`);
    database.exec("BEGIN");
    const insert = database.prepare("INSERT INTO users VALUES (?, ?)");
    const all = typeof rows === "number" ? numbered(rows) : rows;
    for (const row of all) insert.run(row.map(bound));
    database.exec("COMMIT");
    database.close();
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  read(name: string): string {
    return readFileSync(this.path(name), "utf8");
  }

  open(): Sqlite.Database {
    return new Sqlite(this.path("app.db"), { timeout: 5000 });
  }

  /** What is stored, in the order of the rows. */
  stored(): unknown[] {
    const database = this.open();
    const rows = database.prepare("SELECT ssn FROM users ORDER BY rowid").all();
    database.close();
    return rows.map((row) => (row as { ssn: unknown }).ssn);
  }

  sealed(): number {
    return this.stored().filter((value) => String(value).startsWith("rs1.")).length;
  }

  opened(): string[] {
    return this.stored().map((value) => this.ring.openString(value as string, CONTEXT));
  }

  /** Starts the command of the npm package here. */
  start(...args: string[]): ChildProcess {
    return spawn(process.execPath, [COMMAND, ...args], {
      cwd: this.folder,
      env: environment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  /** Runs it to its end. */
  run(...args: string[]): Promise<Ended> {
    return ended(this.start(...args));
  }

  /** Runs a program of JavaScript here, and gives what it prints. */
  program(text: string, ...flags: string[]): string {
    const args = [...flags, "--input-type=module", "--eval", text];
    const cwd = fileURLToPath(new URL(".", import.meta.url));
    const env = { ...environment(), PROJECT: this.folder };
    return execFileSync(process.execPath, args, { cwd, env, encoding: "utf8" }).trim();
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

export function numbered(rows: number): Row[] {
  return Array.from({ length: rows }, (_, at) => [at + 1, `person ${at + 1}`]);
}

/** A number would be stored as a float. */
function bound(value: unknown): unknown {
  return Number.isInteger(value) ? BigInt(value as number) : value;
}

/** Waits for the end of a command. */
export function ended(child: ChildProcess): Promise<Ended> {
  let [out, err] = ["", ""];
  child.stdout?.on("data", (more: Buffer) => void (out += more.toString()));
  child.stderr?.on("data", (more: Buffer) => void (err += more.toString()));
  return new Promise((resolve) => {
    child.on("close", (code, signal) => resolve({ code, signal, out, err }));
  });
}

/** Waits until something is so. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resume) => setTimeout(resume, 20));
}

function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("RESEAL"));
  return { ...Object.fromEntries(kept), RESEAL_PRIMARY_KEY: KEY.export() };
}
