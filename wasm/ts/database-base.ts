// What every database has in common: statements, transactions, and what remains of a failure.
import { invalidArgument, ResealError } from "./errors.js";

export type Dialect = "postgresql" | "mysql" | "sqlite";

/** A float of SQLite, where a column may hold what it likes. */
export class Real {
  constructor(readonly value: number) {}
}

/** What is stored: numbers are integers, and bigints beyond 2^53. */
export type Value = null | number | bigint | string | Uint8Array;

/** What a database gives. */
export type Cell = Value | Real;

/** What it takes: a list is an array, and only PostgreSQL has arrays. */
export type Param = Value | readonly Value[];

/** What went wrong, without any value of a row, a parameter or a password. */
export interface Failure {
  /** The SQLSTATE of PostgreSQL, the error number of MySQL, the extended result code of SQLite. */
  readonly code: string;
  readonly message: string;
}

/**
 * One connection. Statements have the placeholders of the dialect: `$1`, or `?`.
 *
 * Outside `begin` and `commit` every statement is a transaction of its own. Statements throw what the
 * driver throws, and `failure` tells what it means. A connection that is lost is replaced by the next
 * statement, after `rollback` if it was lost in a transaction; settings of the session are then to be
 * made again.
 */
export interface Database {
  readonly dialect: Dialect;
  /** The rows of a statement. */
  query(sql: string, params?: readonly Param[]): Promise<Cell[][]>;
  /** Runs a statement: how many rows it matched, also where they stay as they were. */
  execute(sql: string, params?: readonly Param[]): Promise<number>;
  begin(): Promise<void>;
  /** Commits. After an error `rollback` is due. */
  commit(): Promise<void>;
  /** Leaves the transaction without a trace; nothing to do where there is none any more. */
  rollback(): Promise<void>;
  /** Gives the connection back in the state that it had; twice is as good as once. */
  close(): Promise<void>;
  /** Code and message of what a statement threw. */
  failure(error: unknown): Failure;
}

/** There is no connection: it could not be made, or it was lost in a transaction. */
export class DatabaseError extends Error {
  constructor(
    readonly dialect: Dialect,
    readonly failure: Failure,
  ) {
    super(failure.message);
  }
}

/** Where connections come from, and go to. */
export interface Source<C> {
  take(): C | Promise<C>;
  giveBack(connection: C, lost: boolean): unknown;
  /** Whether it gives another one in the place of one that was lost. */
  readonly again: boolean;
}

const TAKEN = Symbol.for("reseal.taken");

/** Connections that somebody has alone; one list for all copies of this file that a process has loaded. */
const taken = ((globalThis as { [TAKEN]?: WeakSet<object> })[TAKEN] ??= new WeakSet());

/**
 * One connection, which somebody else gave. With `isAlone` nobody else may have it alone until it is given
 * back: two would share their transactions. `identity` is the same for each face of it.
 */
export function single<C extends object>(
  connection: C,
  isAlone: boolean,
  identity: object = connection,
): Source<C> {
  const take = (): C => {
    if (!isAlone) return connection;
    if (taken.has(identity)) {
      throw invalidArgument("another job has this connection: give each its own, a pool or a URL");
    }
    taken.add(identity);
    return connection;
  };
  return { take, giveBack: () => isAlone && taken.delete(identity), again: false };
}

/** What tells errors of a connection between its statements. */
export interface Teller {
  on(event: "error", listener: () => void): unknown;
  listeners(event: "error"): readonly unknown[];
}

const ignored = (): void => {};

/** A connection that was lost may tell so once more, and without a listener that would end the process. */
export function ignoreErrors(teller: Teller): void {
  // All that ever lost it share one.
  if (!teller.listeners("error").includes(ignored)) teller.on("error", ignored);
}

const LONGEST_MESSAGE = 300;

/** A database over connections of one kind. */
export abstract class BaseDatabase<C> implements Database {
  abstract readonly dialect: Dialect;
  protected abstract readonly lostCode: string;
  protected connecting = false;
  readonly #source: Source<C>;
  #connection: C | undefined;
  #inTransaction = false;
  #closed = false;

  constructor(source: Source<C>) {
    this.#source = source;
  }

  /** This database, with its first connection. */
  async opened(): Promise<this> {
    await this.#taken();
    return this;
  }

  query(sql: string, params: readonly Param[] = []): Promise<Cell[][]> {
    return this.#run((connection) => this.rows(connection, sql, params));
  }

  execute(sql: string, params: readonly Param[] = []): Promise<number> {
    return this.#run((connection) => this.count(connection, sql, params));
  }

  async begin(): Promise<void> {
    await this.#run(async (connection) => {
      this.#inTransaction = true;
      try {
        await this.doBegin(connection);
      } catch (error) {
        // Without an answer it may have begun, on a connection that stays.
        this.#inTransaction = this.isLost(connection) && !this.#source.again;
        throw error;
      }
    });
  }

  async commit(): Promise<void> {
    await this.#run((connection) => this.doCommit(connection));
    this.#inTransaction = false;
  }

  async rollback(): Promise<void> {
    if (this.#inTransaction && this.#connection !== undefined) {
      await this.#run((connection) => this.doRollback(connection));
    }
    this.#inTransaction = false;
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#closed = true;
    if (connection === undefined) return;
    const lost = this.isLost(connection);
    let broken = lost;
    try {
      if (this.#inTransaction && !lost) await this.doRollback(connection);
      // One that somebody gave may live, and a statement go on in it.
      if (this.#inTransaction && lost && !this.#source.again) {
        void this.leave(connection).catch(() => undefined);
      }
      await this.restore(connection, lost);
    } catch (error) {
      // Nobody is to work in what is left of a transaction.
      broken = true;
      throw error;
    } finally {
      this.#inTransaction = false;
      await this.#source.giveBack(connection, broken);
    }
  }

  failure(error: unknown): Failure {
    if (error instanceof DatabaseError) return error.failure;
    if (error instanceof ResealError) return { code: "", message: error.message };
    const { code, message } = this.read(error);
    const [line = ""] = message.trim().split("\n");
    return { code, message: line.slice(0, LONGEST_MESSAGE) };
  }

  async #run<T>(step: (connection: C) => T | Promise<T>): Promise<T> {
    const connection = await this.#taken();
    try {
      return await step(connection);
    } catch (error) {
      if (this.#source.again && this.isLost(connection)) {
        this.#connection = undefined;
        await this.restore(connection, true);
        await this.#source.giveBack(connection, true);
      }
      throw error;
    }
  }

  /** The connection, or another one if it was lost outside a transaction. */
  async #taken(): Promise<C> {
    if (this.#closed) throw invalidArgument("this database is closed");
    if (this.#connection !== undefined) return this.#connection;
    if (this.#inTransaction) {
      const message = "the connection was lost in a transaction: roll back, and begin again";
      throw new DatabaseError(this.dialect, { code: this.lostCode, message });
    }
    this.#connection = await this.#connected();
    return this.#connection;
  }

  async #connected(): Promise<C> {
    let connection: C | undefined;
    this.connecting = true;
    try {
      connection = await this.#source.take();
      this.connecting = false;
      await this.adopt(connection);
      return connection;
    } catch (error) {
      const failure = this.failure(error);
      if (connection !== undefined)
        await this.#source.giveBack(connection, this.isLost(connection));
      if (error instanceof ResealError || error instanceof DatabaseError) throw error;
      // Not with its cause: an error of a driver may hold the password.
      throw new DatabaseError(this.dialect, failure);
    } finally {
      this.connecting = false;
    }
  }

  /** Ends a transaction before whatever is asked next; nobody waits for it. */
  protected async leave(connection: C): Promise<void> {
    await this.doRollback(connection);
  }

  /** Brings a connection into the state that statements need, and remembers the one it had. */
  protected abstract adopt(connection: C): unknown;
  protected abstract restore(connection: C, lost: boolean): unknown;
  protected abstract isLost(connection: C): boolean;
  protected abstract rows(connection: C, sql: string, params: readonly Param[]): Rows;
  protected abstract count(connection: C, sql: string, params: readonly Param[]): Count;
  protected abstract doBegin(connection: C): void | Promise<void>;
  protected abstract doCommit(connection: C): void | Promise<void>;
  protected abstract doRollback(connection: C): void | Promise<void>;
  protected abstract read(error: unknown): Failure;
}

type Rows = Cell[][] | Promise<Cell[][]>;
type Count = number | Promise<number>;

/** What an error of a driver has beside its message. */
export function memberOf(error: unknown, name: string): unknown {
  return isObject(error) ? error[name] : undefined;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** A member that is text, or nothing. */
export function textIn(error: unknown, name: string): string | undefined {
  const found = memberOf(error, name);
  return typeof found === "string" ? found : undefined;
}

export function driverFailed(): Failure {
  return { code: "", message: "the driver failed, or refused a value" };
}

/** An integer as it is written. */
export function integerOf(text: string): number | bigint {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}

/** The parameter as it is, where it is one. */
export function checkedCell(value: unknown): Value {
  if (value === null || typeof value === "string" || typeof value === "bigint") return value;
  if (value instanceof Uint8Array || Number.isSafeInteger(value)) return value as Value;
  throw invalidArgument("a value is null, an integer, a string or bytes");
}
