// The table of keysets: its statements, as core/src/job/keyset_row.rs has them, and what they mean.
import { connect, DatabaseError, of, type Database } from "./database.js";
import type { Dialect } from "./database-base.js";
import { KeyringError, ResealError } from "./errors.js";

const TABLE = "reseal_keysets";
const BEGIN = "`reseal keyset init --keyset sql:` makes one";
const KINDS: Record<Dialect, readonly [ring: string, document: string]> = {
  postgresql: ["text", "text"],
  mysql: ["varchar(26) CHARACTER SET ascii COLLATE ascii_bin", "longtext CHARACTER SET utf8mb4"],
  sqlite: ["TEXT", "TEXT"],
};
const EXISTS: Record<Dialect, string> = {
  postgresql: `SELECT 1 WHERE to_regclass('${TABLE}') IS NOT NULL`,
  mysql: `SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = '${TABLE}'`,
  sqlite: `SELECT 1 FROM sqlite_master WHERE type IN ('table', 'view') AND name = '${TABLE}'`,
};

/** What databases say where a user may make no table, or nobody may write: as in core/src/job/failure.rs. */
const DENIED: Record<Dialect, readonly string[]> = {
  postgresql: ["42501", "25006"],
  mysql: ["1044", "1142", "1143", "1227", "1290", "1792", "1836"],
  sqlite: ["3", "8", "23"],
};

/** A row of the table, by its ring; of an empty one, the only row that there is. */
export class KeysetRow {
  constructor(
    readonly database: unknown,
    readonly ring: string,
  ) {}

  /** The document. */
  read(): Promise<string> {
    return this.#connected(async (database) => {
      const rows = await this.#rows(database);
      const [row] = rows;
      if (row === undefined) {
        const what = this.ring === "" ? "is empty" : `has no keyset of the ring ${this.ring}`;
        throw unreadable(`the table ${TABLE} ${what}: ${BEGIN}`);
      }
      if (rows.length > 1) {
        const what = `the table ${TABLE} has keysets of several rings: name one of them, as ring or as sql:RING`;
        throw new KeyringError("source-conflict", what);
      }
      const [, document] = row;
      if (typeof document === "string") return document;
      if (document instanceof Uint8Array) return new TextDecoder().decode(document);
      throw unreadable(`a document in the table ${TABLE} is no text`);
    });
  }

  /** Stores the keyset of a new ring, and makes the table where it is missing. */
  insert(ring: string, generation: number, document: string): Promise<void> {
    return this.#connected(async (database) => {
      await makeTable(database);
      const [a, b, c] = marks(database);
      const sql = `INSERT INTO ${TABLE} (ring, generation, document) VALUES (${a}, ${b}, ${c})`;
      try {
        await database.execute(sql, [ring, generation, document]);
      } catch (error) {
        const [first = ""] = marks(database);
        const there = await found(database, `SELECT 1 FROM ${TABLE} WHERE ring = ${first}`, [ring]);
        if (!there) throw error;
        const what = `the table ${TABLE} has a keyset of the ring ${ring} already: load it`;
        throw new KeyringError("keyset-conflict", what);
      }
    });
  }

  /** Replaces the document of a ring, if the row is of the generation that was loaded. */
  update(ring: string, loaded: number, document: string): Promise<void> {
    return this.#connected(async (database) => {
      const [a, b, c] = marks(database);
      const where = `WHERE ring = ${b} AND generation = ${c}`;
      const sql = `UPDATE ${TABLE} SET document = ${a}, generation = generation + 1 ${where}`;
      if ((await database.execute(sql, [document, ring, loaded])) === 1) return;
      throw new KeyringError(
        "keyset-conflict",
        "the keyset in the database was changed or removed since it was loaded: load it, and try again",
      );
    });
  }

  async #rows(database: Database): Promise<unknown[][]> {
    const [first] = marks(database);
    const select = `SELECT ring, document FROM ${TABLE}`;
    try {
      if (this.ring === "") return await database.query(`${select} LIMIT 2`);
      return await database.query(`${select} WHERE ring = ${first}`, [this.ring]);
    } catch (error) {
      if (await found(database, EXISTS[database.dialect])) throw error;
      const how = "`reseal keyset init --keyset sql:` makes it, and a keyset";
      const what = `this database has no table ${TABLE}: ${how}; or is it another database?`;
      throw unreadable(what);
    }
  }

  /** Connects for a few statements. Of what a driver throws only code and message are kept. */
  async #connected<T>(work: (database: Database) => Promise<T>): Promise<T> {
    let database: Database | undefined;
    try {
      const given = this.database;
      database = typeof given === "string" ? await connect(given) : await of(given);
      return await work(database);
    } catch (error) {
      if (error instanceof ResealError) throw error;
      if (error instanceof DatabaseError) throw failed(error.message);
      if (database === undefined) throw error;
      const { code, message } = database.failure(error);
      throw failed(`the database did not do it: ${message} (${code || "it gave no code"})`);
    } finally {
      await database?.close().catch(() => undefined);
    }
  }
}

/** Whoever may use the table, but not make one, finds it there. */
async function makeTable(database: Database): Promise<void> {
  const { dialect } = database;
  if (await found(database, EXISTS[dialect])) return;
  const [ring, document] = KINDS[dialect];
  const columns = [
    `ring ${ring} NOT NULL PRIMARY KEY`,
    `generation ${dialect === "sqlite" ? "INTEGER" : "bigint"} NOT NULL`,
    `document ${document} NOT NULL`,
  ];
  try {
    await database.execute(`CREATE TABLE IF NOT EXISTS ${TABLE} (${columns.join(", ")})`);
  } catch (error) {
    // Another one may have made it at the same time.
    if (await found(database, EXISTS[dialect])) return;
    const { code } = database.failure(error);
    // The last byte of a code of SQLite is the primary code.
    const kind = dialect === "sqlite" ? String(Number(code) & 0xff) : code;
    if (!DENIED[dialect].includes(kind)) throw error;
    const how = "have it made, with the columns ring, generation and document";
    throw failed(`the user may not make the table ${TABLE} (${code}): ${how}`);
  }
}

async function found(database: Database, sql: string, params: string[] = []): Promise<boolean> {
  return (await database.query(sql, params)).length > 0;
}

/** What stands for the parameters. */
function marks({ dialect }: Database): string[] {
  return [1, 2, 3].map((number) => (dialect === "postgresql" ? `$${number}` : "?"));
}

function unreadable(message: string): KeyringError {
  return new KeyringError("source-unreadable", message);
}

function failed(message: string): ResealError {
  return new ResealError("database-error", message);
}
