// SQLite through `better-sqlite3`, `libsql` or `node:sqlite`: all of them are synchronous.
import {
  BaseDatabase,
  checkedCell,
  driverFailed,
  memberOf,
  Real,
  textIn,
  type Cell,
  type Failure,
  type Param,
  type Value,
} from "./database-base.js";
import { invalidArgument, ResealError } from "./errors.js";

/** What of these packages is used. */
export interface SqliteConnection {
  readonly inTransaction?: boolean;
  readonly isTransaction?: boolean;
  readonly open?: boolean;
  readonly isOpen?: boolean;
  prepare(sql: string): SqliteStatement;
  exec(sql: string): unknown;
  close(): unknown;
}

interface SqliteStatement {
  /** Whether it gives rows; where this is not told, both ways of running it will do. */
  readonly reader?: boolean;
  all(...params: unknown[]): unknown[];
  run(...params: unknown[]): { readonly changes: number | bigint };
  raw?(on: boolean): unknown;
  safeIntegers?(on: boolean): unknown;
  setReadBigInts?(on: boolean): unknown;
  setReturnArrays?(on: boolean): unknown;
}

type SqliteClass = new (path: string, options?: object) => SqliteConnection;

const BUSY_MILLISECONDS = 5000;
const KEPT_STATEMENTS = 32;
const FROM_TRIGGER = 1811;
/** What changes rows. After another statement, `changes` is still that of the last of these. */
const CHANGES_ROWS = /^\s*(?:delete|insert|replace|update|with)\b/i;
const CANNOT_OPEN = "14";
const NO_DATABASE = 26;
// better-sqlite3 tells names.
const CODES: ReadonlyMap<string, number> = new Map([
  ["SQLITE_ERROR", 1],
  ["SQLITE_PERM", 3],
  ["SQLITE_ABORT", 4],
  ["SQLITE_BUSY", 5],
  ["SQLITE_BUSY_RECOVERY", 261],
  ["SQLITE_BUSY_SNAPSHOT", 517],
  ["SQLITE_BUSY_TIMEOUT", 773],
  ["SQLITE_LOCKED", 6],
  ["SQLITE_LOCKED_SHAREDCACHE", 262],
  ["SQLITE_NOMEM", 7],
  ["SQLITE_READONLY", 8],
  ["SQLITE_READONLY_DBMOVED", 1032],
  ["SQLITE_READONLY_DIRECTORY", 1544],
  ["SQLITE_INTERRUPT", 9],
  ["SQLITE_IOERR", 10],
  ["SQLITE_CORRUPT", 11],
  ["SQLITE_FULL", 13],
  ["SQLITE_CANTOPEN", 14],
  ["SQLITE_SCHEMA", 17],
  ["SQLITE_TOOBIG", 18],
  ["SQLITE_CONSTRAINT", 19],
  ["SQLITE_CONSTRAINT_CHECK", 275],
  ["SQLITE_CONSTRAINT_FOREIGNKEY", 787],
  ["SQLITE_CONSTRAINT_NOTNULL", 1299],
  ["SQLITE_CONSTRAINT_PRIMARYKEY", 1555],
  ["SQLITE_CONSTRAINT_TRIGGER", 1811],
  ["SQLITE_CONSTRAINT_UNIQUE", 2067],
  ["SQLITE_CONSTRAINT_ROWID", 2579],
  ["SQLITE_CONSTRAINT_DATATYPE", 3091],
  ["SQLITE_MISMATCH", 20],
  ["SQLITE_NOTADB", 26],
]);

/** Opens a file with whichever package it is. */
export function openSqlite(driver: object, path: string): SqliteConnection {
  const [found] = [driver, memberOf(driver, "DatabaseSync"), memberOf(driver, "Database")].filter(
    (candidate) => typeof candidate === "function",
  );
  const connection = new (found as SqliteClass)(path, { timeout: BUSY_MILLISECONDS });
  try {
    checkFile(connection);
    connection.exec(`PRAGMA busy_timeout = ${BUSY_MILLISECONDS}`);
    checkRows(connection);
  } catch (error) {
    connection.close();
    throw error;
  }
  return connection;
}

/** SQLite opens whatever is there, and tells only when it reads that it is no database. */
function checkFile(connection: SqliteConnection): void {
  try {
    connection.exec("PRAGMA schema_version");
  } catch (error) {
    // Whatever else it is, such as a lock, the first statement meets it, and waits where that helps.
    if (numberOf(error) === NO_DATABASE) throw error;
  }
}

/** A row as an object has one cell for all columns of a name, and names of digits first. */
function checkRows(connection: SqliteConnection): void {
  const { raw, setReturnArrays } = connection.prepare("SELECT 1");
  if (raw !== undefined || setReturnArrays !== undefined) return;
  throw new ResealError(
    "engine-unsupported",
    "node:sqlite gives rows as lists from Node 22.16 on: take a newer one, or npm install better-sqlite3",
  );
}

export class SqliteDatabase extends BaseDatabase<SqliteConnection> {
  readonly dialect = "sqlite";
  protected readonly lostCode = CANNOT_OPEN;
  readonly #statements = new Map<string, SqliteStatement>();

  protected adopt(connection: SqliteConnection): void {
    if (this.isLost(connection)) throw invalidArgument("the connection is closed");
    if (isInTransaction(connection)) {
      throw invalidArgument("the connection is in a transaction: commit or roll back first");
    }
    checkRows(connection);
  }

  protected restore(): void {
    this.#statements.clear();
  }

  protected isLost({ open, isOpen }: SqliteConnection): boolean {
    return !(open ?? isOpen ?? true);
  }

  protected rows(connection: SqliteConnection, sql: string, params: readonly Param[]): Cell[][] {
    const statement = this.#statement(connection, sql);
    if (statement.reader === false) {
      statement.run(...argumentsOf(statement, params));
      return [];
    }
    statement.raw?.(true);
    const rows = statement.all(...argumentsOf(statement, params)) as unknown[][];
    return rows.map((row) => row.map(cellOf));
  }

  protected count(connection: SqliteConnection, sql: string, params: readonly Param[]): number {
    const statement = this.#statement(connection, sql);
    const given = argumentsOf(statement, params);
    if (statement.reader === true) return statement.all(...given).length;
    const { changes } = statement.run(...given);
    return CHANGES_ROWS.test(sql) ? Number(changes) : 0;
  }

  protected doBegin(connection: SqliteConnection): void {
    // What begins to write later may find that it read what is no longer true.
    connection.exec("BEGIN IMMEDIATE");
  }

  protected doCommit(connection: SqliteConnection): void {
    connection.exec("COMMIT");
  }

  protected doRollback(connection: SqliteConnection): void {
    // A full disk, for one, has ended it already.
    if (isInTransaction(connection) !== false) connection.exec("ROLLBACK");
  }

  protected read(error: unknown): Failure {
    const code = numberOf(error);
    const message = textIn(error, "message") ?? "";
    if (code === undefined) return driverFailed();
    if (code === FROM_TRIGGER)
      return { code: String(code), message: "a trigger refused the statement" };
    return { code: String(code), message };
  }

  #statement(connection: SqliteConnection, sql: string): SqliteStatement {
    const kept = this.#statements.get(sql);
    if (kept !== undefined) return kept;
    const statement = connection.prepare(sql);
    statement.safeIntegers?.(true);
    statement.setReadBigInts?.(true);
    statement.setReturnArrays?.(true);
    if (this.#statements.size >= KEPT_STATEMENTS) this.#statements.clear();
    this.#statements.set(sql, statement);
    return statement;
  }
}

function isInTransaction(connection: SqliteConnection): boolean | undefined {
  return connection.inTransaction ?? connection.isTransaction;
}

function numberOf(error: unknown): number | undefined {
  const number = memberOf(error, "rawCode") ?? memberOf(error, "errcode");
  return typeof number === "number" ? number : codeOf(textIn(error, "code") ?? "");
}

function codeOf(name: string): number | undefined {
  const start = name.split("_").slice(0, 2).join("_");
  return CODES.get(name) ?? CODES.get(start);
}

/** A list, where bytes alone would be taken for an object of named values. */
function argumentsOf(statement: SqliteStatement, params: readonly Param[]): unknown[] {
  const values = params.map(valueOf);
  return statement.raw === undefined ? values : [values];
}

/** A number would be stored as a float. */
function valueOf(param: Param): Value {
  const value = checkedCell(param);
  return typeof value === "number" ? BigInt(value) : value;
}

function cellOf(value: unknown): Cell {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  return typeof value === "number" ? new Real(value) : (value as Cell);
}
