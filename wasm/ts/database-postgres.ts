// PostgreSQL through `pg`: parameters travel apart from the statement, in the form `$1`.
import { Buffer } from "node:buffer";
import {
  BaseDatabase,
  checkedCell,
  driverFailed,
  ignoreErrors,
  integerOf,
  memberOf,
  single,
  textIn,
  type Cell,
  type Failure,
  type Param,
  type Source,
  type Teller,
} from "./database-base.js";
import { rootOf, type Target } from "./database-url.js";
import { invalidArgument } from "./errors.js";

/** What of `pg` is used. */
export interface PostgresModule {
  readonly Client: new (options: object) => PostgresClient & { connect(): Promise<unknown> };
}

export interface PostgresClient extends Teller {
  readonly connectionParameters: { query_timeout?: unknown };
  query(query: object): Promise<PostgresResult>;
  end(): Promise<void>;
  on(event: "error" | "end", listener: () => void): unknown;
  removeListener(event: "error" | "end", listener: () => void): unknown;
}

interface PostgresResult {
  readonly rows: Cell[][];
  readonly rowCount: number | null;
  readonly command: string;
}

interface PostgresPool {
  connect(): Promise<PostgresClient & { release(destroy?: boolean): void }>;
}

const LOST = "08006";
const NOT_CONNECTED = "08001";
/** What `query_timeout` of a client says: its statement goes on in the server. */
const NO_ANSWER = "Query read timeout";
const KEEP_ALIVE_MS = 30_000;
const NO_TLS = "The server does not support SSL connections";
// Messages of these classes speak of names and states, and never of values.
const OPEN_CLASSES = new Set([
  "08",
  "0A",
  "25",
  "28",
  "3D",
  "3F",
  "40",
  "42",
  "53",
  "54",
  "55",
  "57",
  "58",
]);
const SENTENCES: ReadonlyMap<string, string> = new Map([
  ["22001", "a value is too long for its column"],
  ["22003", "a number is out of the range of its column"],
  ["22021", "a text holds what the encoding of the database lacks"],
  ["22P02", "a value is none of the type of its column"],
  ["23502", "a column must not be null"],
  ["23503", "a row refers to one that is missing"],
  ["23505", "a value that must be unique is there already"],
  ["23514", "a row breaks a check"],
  ["P0001", "a trigger or a function refused the statement"],
]);
// int8, int2, int4, oid
const NUMBERS = new Set([20, 21, 23, 26]);
const BYTEA = 17;

/** Connects, with TLS as it is asked for. */
export async function openPostgres(
  driver: PostgresModule,
  target: Target,
): Promise<PostgresClient> {
  const ssl = tlsOf(target);
  try {
    return await connected(driver, target, ssl);
  } catch (error) {
    if (target.sslmode !== "prefer" || textIn(error, "message") !== NO_TLS) throw error;
    return connected(driver, target, false);
  }
}

async function connected(
  driver: PostgresModule,
  target: Target,
  ssl: object | false,
): Promise<PostgresClient> {
  const { database, user, password, host, port, socket, connectSeconds } = target;
  const client = new driver.Client({
    host: socket ?? host,
    port,
    database,
    user: user ?? undefined,
    password: password ?? undefined,
    ssl: socket === null ? ssl : false,
    connectionTimeoutMillis: connectSeconds * 1000,
    application_name: "reseal",
    client_encoding: "UTF8",
    // A server that went without a word is noticed by this alone.
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
  });
  // Without a listener, what happens between two statements would end the process.
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

function tlsOf(target: Target): object | false {
  const { sslmode, sslrootcert } = target;
  if (sslmode === "disable") return false;
  if (sslmode === "prefer") return { rejectUnauthorized: false };
  const ca = rootOf(target);
  switch (sslmode) {
    case "require":
      return sslrootcert === null ? { rejectUnauthorized: false } : withoutName(ca);
    case "verify-ca":
      return withoutName(ca);
    case "verify-full":
      return ca;
  }
}

function withoutName(ca: object): object {
  return { ...ca, checkServerIdentity: () => undefined };
}

/** The connection of a client or a pool, if it is one of `pg`; see {@link single}. */
export function sourceOfPostgres(
  given: Record<string, unknown>,
  isAlone: boolean,
): Source<PostgresClient> | undefined {
  if (typeof given["query"] !== "function" || typeof given["connect"] !== "function") {
    return undefined;
  }
  if (typeof given["totalCount"] === "number") {
    const pool = given as unknown as PostgresPool;
    return {
      take: () => pool.connect(),
      giveBack: (client, lost) =>
        (client as Awaited<ReturnType<PostgresPool["connect"]>>).release(lost),
      again: true,
    };
  }
  if (typeof given["connectionParameters"] !== "object") return undefined;
  if (given["_connected"] === false && given["_connecting"] === false) {
    // It would keep each statement until somebody connects it, and nothing would keep the process.
    throw invalidArgument("the client is not connected: await client.connect() first");
  }
  return single(given as unknown as PostgresClient, isAlone);
}

export class PostgresDatabase extends BaseDatabase<PostgresClient> {
  readonly dialect = "postgresql";
  protected readonly lostCode = LOST;
  #lost = false;
  #onEnd = () => {};

  protected async adopt(client: PostgresClient): Promise<void> {
    this.#lost = false;
    const onEnd = () => {
      // One that was replaced may tell its end later.
      if (this.#onEnd === onEnd) this.#lost = true;
    };
    this.#onEnd = onEnd;
    client.on("end", onEnd);
    client.on("error", onEnd);
    try {
      // Without parameters a statement is one message, which begins its transaction.
      const state = "SELECT current_setting('client_encoding'), now() = statement_timestamp()";
      const [[encoding, fresh] = []] = await this.rows(client, state, []);
      if (fresh !== "t") throw inTransaction();
      if (encoding !== "UTF8") {
        throw invalidArgument("the connection has another encoding: SET client_encoding TO 'UTF8'");
      }
    } catch (error) {
      this.restore(client, this.#lost);
      throw error;
    }
  }

  protected restore(client: PostgresClient, lost: boolean): void {
    if (lost) ignoreErrors(client);
    client.removeListener("end", this.#onEnd);
    client.removeListener("error", this.#onEnd);
  }

  protected isLost(): boolean {
    return this.#lost;
  }

  protected async rows(
    client: PostgresClient,
    sql: string,
    params: readonly Param[],
  ): Promise<Cell[][]> {
    return (await this.#ask(client, sql, params)).rows;
  }

  protected async count(
    client: PostgresClient,
    sql: string,
    params: readonly Param[],
  ): Promise<number> {
    return (await this.#ask(client, sql, params)).rowCount ?? 0;
  }

  protected async doBegin(client: PostgresClient): Promise<void> {
    await this.#ask(client, "BEGIN", []);
  }

  protected async doCommit(client: PostgresClient): Promise<void> {
    const { command } = await this.#ask(client, "COMMIT", []);
    // The server ends a transaction that has failed, and calls that a success.
    if (command !== "COMMIT") {
      throw Object.assign(new Error("the transaction had failed"), { code: "25P02", severity: "" });
    }
  }

  protected async doRollback(client: PostgresClient): Promise<void> {
    await this.#ask(client, "ROLLBACK", []);
  }

  protected override leave(client: PostgresClient): Promise<void> {
    // `pg` drops a statement whose time is over while it waits behind another one: this one has none.
    // It is read at once, and before 8.13 a statement could not have its own.
    const { connectionParameters } = client;
    const { query_timeout } = connectionParameters;
    connectionParameters.query_timeout = 0;
    try {
      return super.leave(client);
    } finally {
      connectionParameters.query_timeout = query_timeout;
    }
  }

  async #ask(
    client: PostgresClient,
    text: string,
    params: readonly Param[],
  ): Promise<PostgresResult> {
    const values = params.map((param) =>
      Array.isArray(param) ? param.map(valueOf) : valueOf(param),
    );
    try {
      return await client.query({
        ...(values.length > 0 ? { text, values } : { text }),
        rowMode: "array",
        types: { getTypeParser },
      });
    } catch (error) {
      // The end of the connection may come after its last error.
      if (this.#codeOf(error) === LOST || /^57P0/.test(this.#codeOf(error))) this.#lost = true;
      throw error;
    }
  }

  #codeOf(error: unknown): string {
    const code = textIn(error, "code");
    if (memberOf(error, "severity") !== undefined && code !== undefined) return code;
    if (this.connecting) return NOT_CONNECTED;
    const message = textIn(error, "message") ?? "";
    const gone = message === NO_ANSWER || /connection|not queryable|closed|socket/i.test(message);
    return this.#lost || gone || code !== undefined ? LOST : "";
  }

  protected read(error: unknown): Failure {
    const code = this.#codeOf(error);
    const message = textIn(error, "message") || "the server cannot be reached";
    if (code === "") return driverFailed();
    if (code === LOST) return { code, message: "the connection to the server was lost" };
    if (code === NOT_CONNECTED) {
      const reason = textIn(error, "code");
      return { code, message: reason ? `the server cannot be reached (${reason})` : message };
    }
    if (OPEN_CLASSES.has(code.slice(0, 2))) return { code, message };
    const place = ["table", "column", "constraint"].flatMap((kind) => {
      const name = textIn(error, kind);
      return name === undefined ? [] : [`${kind} ${name}`];
    });
    const sentence = SENTENCES.get(code) ?? `PostgreSQL refused the statement with ${code}`;
    return { code, message: place.length > 0 ? `${sentence} (${place.join(", ")})` : sentence };
  }
}

function inTransaction() {
  return invalidArgument("the connection is in a transaction: commit or roll back first");
}

function valueOf(param: Param): unknown {
  const value = checkedCell(param);
  if (typeof value === "bigint" || typeof value === "number") return String(value);
  return value instanceof Uint8Array
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : value;
}

/** Everything but numbers and bytes comes as the text that the server writes. */
function getTypeParser(type: number): (text: string) => Cell {
  if (NUMBERS.has(type)) return integerOf;
  return type === BYTEA ? bytesOf : (text) => text;
}

/** Bytes in either spelling: a user, or a database, may have another `bytea_output` than the usual one. */
function bytesOf(text: string): Buffer {
  if (text.startsWith("\\x")) return Buffer.from(text.slice(2), "hex");
  const bytes = text.replaceAll(/\\(\\|[0-7]{3})/g, (_, code: string) => {
    return code === "\\" ? code : String.fromCharCode(parseInt(code, 8));
  });
  return Buffer.from(bytes, "latin1");
}
