// MariaDB and MySQL through `mysql2`. Values stand in the text of a statement: one round trip, and
// the same statements as in Python; `sql_mode` changes nothing.
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
  type Value,
  type Source,
  type Teller,
} from "./database-base.js";
import { rootOf, type Target } from "./database-url.js";
import { invalidArgument } from "./errors.js";

/** What of `mysql2/promise` is used. */
export interface MysqlModule {
  createConnection(options: object): Promise<MysqlConnection>;
}

export interface MysqlConnection extends Teller {
  /** Only a face with promises has one behind it. */
  readonly connection?: MysqlConnection;
  query(query: object): Promise<[rows: unknown, fields: readonly MysqlField[] | undefined]>;
  destroy(): void;
  removeListener(event: "error", listener: () => void): unknown;
}

interface MysqlField {
  readonly columnType?: number;
  readonly type?: number;
  readonly characterSet: number;
}

interface MysqlPool {
  getConnection(): Promise<MysqlConnection & { release(): void }>;
}

const LOST = "2013";
const LOST_CODES = new Set([1047, 1153, 1927, 2006, 2013, 2055]);
// TINY, SHORT, LONG, LONGLONG, INT24 and YEAR
const NUMBERS = new Set([1, 2, 3, 8, 9, 13]);
// VARCHAR, BIT, the blobs, VAR_STRING, STRING and GEOMETRY: bytes where the character set is binary.
const TEXTS = new Set([15, 16, 249, 250, 251, 252, 253, 254, 255]);
const BINARY = 63;
/** What the server says of a connection, in its answer to each statement. */
const IN_TRANSACTION = 1;
// Whatever a connection is told to make of its rows: with `false`, its own `typeCast` would count.
const AS_BYTES = {
  rowsAsArray: true,
  nestTables: false,
  typeCast: (field: { buffer(): Buffer | null }) => field.buffer(),
};
// What is quoted, or a remark, has no placeholder.
const PIECES =
  /'(?:[^'\\]|\\[^]|'')*'|"(?:[^"\\]|\\[^]|"")*"|`[^`]*`|#[^\n]*|--\s[^\n]*|\/\*[^]*?\*\/|(\?)/g;
// What the meaning of a backslash depends on; it is written in hexadecimal.
const DELICATE = /[\\\0\x1a]/;
// Their messages speak of names and states, and never of values.
const OPEN_CODES = new Set([
  ...[1005, 1006, 1007, 1008, 1021, 1037, 1038, 1040, 1041, 1044, 1045, 1046, 1048, 1049, 1050],
  ...[1051, 1053, 1054, 1060, 1061, 1072, 1091, 1114, 1118, 1130, 1133, 1136, 1141, 1142, 1143],
  ...[1146, 1153, 1158, 1159, 1160, 1161, 1180, 1192, 1203, 1205, 1206, 1213, 1226, 1227, 1264],
  ...[1267, 1270, 1271, 1290, 1298, 1317, 1364, 1406, 1451, 1452, 1698, 1792, 1836, 1927, 1969],
  ...[2002, 2003, 2005, 2006, 2013, 2026, 2055, 3024, 3159, 3572, 4025],
]);
const SENTENCES: ReadonlyMap<number, string> = new Map([
  [1062, "a value that must be unique is there already"],
  [1064, "the server does not understand the statement"],
  [1366, "a value does not fit the type or the character set of its column"],
  [1644, "a trigger or a function refused the statement"],
  [2003, "the server cannot be reached"],
  [2005, "the host of the server is unknown"],
  [2013, "the connection to the server was lost"],
  [2026, "the connection cannot be encrypted as it is asked for"],
]);
// What the driver says itself.
const NUMBER_OF: ReadonlyMap<string, number> = new Map([
  ["ENOTFOUND", 2005],
  ["EAI_AGAIN", 2005],
  ["HANDSHAKE_NO_SSL_SUPPORT", 2026],
  ["HANDSHAKE_SSL_ERROR", 2026],
]);

/** Connects, with TLS as it is asked for. */
export async function openMysql(driver: MysqlModule, target: Target): Promise<MysqlConnection> {
  const ssl = tlsOf(target);
  try {
    return await driver.createConnection(optionsOf(target, ssl));
  } catch (error) {
    if (target.sslmode !== "prefer" || textIn(error, "code") !== "HANDSHAKE_NO_SSL_SUPPORT") {
      throw error;
    }
    return driver.createConnection(optionsOf(target, undefined));
  }
}

function optionsOf(target: Target, ssl: object | undefined): object {
  const { database, user, password, host, port, socket, connectSeconds } = target;
  return {
    ...(socket === null ? { host, port } : { socketPath: socket }),
    database,
    user: user ?? undefined,
    password: password ?? "",
    ...(ssl === undefined || socket !== null ? {} : { ssl }),
    connectTimeout: connectSeconds * 1000,
    charset: "utf8mb4",
    // The driver need not look for placeholders, nor remember where a statement comes from: of an
    // error only code and message are read.
    queryFormat: (sql: string) => sql,
    trace: false,
  };
}

function tlsOf(target: Target): object | undefined {
  const { sslmode, sslrootcert } = target;
  if (sslmode === "disable") return undefined;
  if (sslmode === "prefer" || (sslmode === "require" && sslrootcert === null)) {
    return { rejectUnauthorized: false };
  }
  return {
    ...rootOf(target),
    rejectUnauthorized: true,
    verifyIdentity: sslmode === "verify-full",
  };
}

/** The connection behind a connection or a pool of `mysql2`, with promises or with callbacks; see {@link single}. */
export function sourceOfMysql(
  given: Record<string, unknown>,
  isAlone: boolean,
): Source<MysqlConnection> | undefined {
  const promising = given["promise"];
  const found =
    typeof promising === "function" ? (promising.call(given) as Record<string, unknown>) : given;
  if (typeof found["query"] !== "function" || typeof found["execute"] !== "function") {
    return undefined;
  }
  if (typeof found["getConnection"] === "function") {
    const pool = found as unknown as MysqlPool;
    return {
      take: () => pool.getConnection(),
      giveBack: (connection, lost) =>
        lost
          ? connection.destroy()
          : (connection as Awaited<ReturnType<MysqlPool["getConnection"]>>).release(),
      again: true,
    };
  }
  if (typeof found["destroy"] !== "function") return undefined;
  const connection = found as unknown as MysqlConnection;
  return single(connection, isAlone, behind(connection));
}

/** What is the same for each face with promises: they are made anew. */
function behind(connection: MysqlConnection): MysqlConnection {
  return connection.connection ?? connection;
}

export class MysqlDatabase extends BaseDatabase<MysqlConnection> {
  readonly dialect = "mysql";
  protected readonly lostCode = LOST;
  #lost = false;
  #autocommit = true;
  // Without a listener, the end of a connection between two statements would end the process.
  #onError = () => {};

  protected async adopt(connection: MysqlConnection): Promise<void> {
    this.#lost = false;
    this.#autocommit = true;
    const onError = () => {
      // One that was replaced may tell its end later.
      if (this.#onError === onError) this.#lost = true;
    };
    this.#onError = onError;
    connection.on("error", onError);
    try {
      await this.#check(connection);
    } catch (error) {
      await this.restore(connection, this.#lost);
      throw error;
    }
  }

  async #check(connection: MysqlConnection): Promise<void> {
    const [state] = await this.#ask(connection, "DO 0", []);
    if (Number(memberOf(state, "serverStatus")) & IN_TRANSACTION) {
      throw invalidArgument("the connection is in a transaction: commit or roll back first");
    }
    const settings = "@@character_set_client, @@character_set_results, @@autocommit";
    const [[client, results, autocommit] = []] = await this.rows(
      connection,
      `SELECT ${settings}`,
      [],
    );
    if (client !== "utf8mb4" || results !== "utf8mb4") {
      throw invalidArgument(
        `the connection has the character set ${String(client)}: connect with utf8mb4`,
      );
    }
    if (autocommit === 1) return;
    await this.#ask(connection, "SET autocommit = 1", []);
    this.#autocommit = false;
  }

  protected async restore(connection: MysqlConnection, lost: boolean): Promise<void> {
    if (lost) ignoreErrors(behind(connection));
    connection.removeListener("error", this.#onError);
    if (this.#autocommit) return;
    const restored = this.#ask(connection, "SET autocommit = 0", []);
    // A node that left its cluster for a while takes it; one that is gone refuses at once.
    await (lost ? restored.catch(() => undefined) : restored);
  }

  protected isLost(): boolean {
    return this.#lost;
  }

  protected async rows(
    connection: MysqlConnection,
    sql: string,
    params: readonly Param[],
  ): Promise<Cell[][]> {
    const [rows, fields] = await this.#ask(connection, sql, params);
    if (!Array.isArray(rows)) return [];
    const readers = (fields ?? []).map(readerOf);
    for (const row of rows as (Buffer | Cell)[][]) {
      readers.forEach((reader, at) => {
        const cell = row[at];
        if (cell instanceof Uint8Array) row[at] = reader(cell as Buffer);
      });
    }
    return rows as Cell[][];
  }

  protected async count(
    connection: MysqlConnection,
    sql: string,
    params: readonly Param[],
  ): Promise<number> {
    const [result] = await this.#ask(connection, sql, params);
    const matched = /^Rows matched: (\d+)/.exec(textIn(result, "info") ?? "")?.[1];
    return Number(matched ?? memberOf(result, "affectedRows") ?? 0);
  }

  protected async doBegin(connection: MysqlConnection): Promise<void> {
    await this.#ask(connection, "START TRANSACTION", []);
  }

  protected async doCommit(connection: MysqlConnection): Promise<void> {
    await this.#ask(connection, "COMMIT", []);
  }

  protected async doRollback(connection: MysqlConnection): Promise<void> {
    await this.#ask(connection, "ROLLBACK", []);
  }

  async #ask(connection: MysqlConnection, sql: string, params: readonly Param[]) {
    const options = { sql: written(sql, params), ...AS_BYTES };
    try {
      return await connection.query(options);
    } catch (error) {
      if (LOST_CODES.has(this.#numberOf(error) ?? 0)) this.#lost = true;
      throw error;
    }
  }

  /** The error number of a server; those of systems are negative. */
  #numberOf(error: unknown): number | undefined {
    const number = memberOf(error, "errno");
    if (typeof number === "number" && number > 0) return number;
    const code = textIn(error, "code");
    const known = NUMBER_OF.get(code ?? "");
    if (known !== undefined) return known;
    if (this.connecting) return 2003;
    const closed = /closed state/.test(textIn(error, "message") ?? "");
    return code !== undefined || closed ? 2013 : undefined;
  }

  protected read(error: unknown): Failure {
    const number = this.#numberOf(error);
    if (number === undefined) return driverFailed();
    const code = String(number);
    const message = textIn(error, "sqlMessage");
    if (message !== undefined && OPEN_CODES.has(number)) return { code, message };
    return {
      code,
      message: SENTENCES.get(number) ?? `the server refused the statement with ${code}`,
    };
  }
}

function readerOf({ columnType, type, characterSet }: MysqlField): (cell: Buffer) => Cell {
  const kind = columnType ?? type ?? 0;
  if (NUMBERS.has(kind)) return (cell) => integerOf(cell.toString("latin1"));
  if (TEXTS.has(kind) && characterSet === BINARY) return (cell) => cell;
  return (cell) => cell.toString("utf8");
}

/**
 * The statement with its values.
 *
 * @throws `invalid-argument`, which shows no value
 */
export function written(sql: string, params: readonly Param[]): string {
  const pieces = piecesOf(sql);
  if (params.length !== pieces.length - 1) {
    throw invalidArgument(
      `a statement has ${pieces.length - 1} placeholders, not ${params.length}`,
    );
  }
  let whole = pieces[0]!;
  for (const [at, param] of params.entries())
    whole += literalOf(checkedCell(param)) + pieces[at + 1]!;
  return whole;
}

const KEPT_STATEMENTS = 64;
const known = new Map<string, readonly string[]>();

/** What stands before, between and after the placeholders. */
function piecesOf(sql: string): readonly string[] {
  const before = known.get(sql);
  if (before !== undefined) return before;
  const pieces: string[] = [];
  let start = 0;
  for (const found of sql.matchAll(PIECES)) {
    if (found[1] === undefined) continue;
    pieces.push(sql.slice(start, found.index));
    start = found.index + 1;
  }
  pieces.push(sql.slice(start));
  if (known.size >= KEPT_STATEMENTS) known.clear();
  known.set(sql, pieces);
  return pieces;
}

function literalOf(cell: Value): string {
  if (cell === null) return "NULL";
  if (typeof cell === "string") {
    if (!DELICATE.test(cell)) return `'${cell.replaceAll("'", "''")}'`;
    return `_utf8mb4 x'${Buffer.from(cell).toString("hex")}'`;
  }
  if (typeof cell !== "object") return String(cell);
  return `x'${Buffer.from(cell.buffer, cell.byteOffset, cell.byteLength).toString("hex")}'`;
}
