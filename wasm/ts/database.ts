// Databases, as the bulk job uses them: a thin layer over the drivers that people have. Node only.
import { createRequire, isBuiltin } from "node:module";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { cwd } from "node:process";
import { DatabaseError, isObject, single, textIn, type Database } from "./database-base.js";
import { MysqlDatabase, openMysql, sourceOfMysql, type MysqlModule } from "./database-mysql.js";
import {
  openPostgres,
  PostgresDatabase,
  sourceOfPostgres,
  type PostgresModule,
} from "./database-postgres.js";
import { openSqlite, SqliteDatabase, type SqliteConnection } from "./database-sqlite.js";
import { parseDatabaseUrl, type Target } from "./database-url.js";
import { invalidArgument, ResealError } from "./errors.js";

export {
  DatabaseError,
  type Cell,
  type Database,
  type Failure,
  type Param,
} from "./database-base.js";

/**
 * The database of a URL: `postgresql://user:password@host:port/database`, `mysql://…` or
 * `sqlite:///file`, percent-encoded, with the parameters `sslmode` (disable, prefer, require, verify-ca,
 * verify-full), `sslrootcert`, `socket` and `connect_timeout` of a server.
 *
 * @throws `invalid-argument` for the URL, `engine-unsupported` where the driver is missing;
 * `DatabaseError`
 */
export async function connect(url: string): Promise<Database> {
  const target = parseDatabaseUrl(url);
  switch (target.dialect) {
    case "postgresql":
      return postgres(target);
    case "mysql":
      return mysql(target);
    case "sqlite":
      return sqlite(target);
  }
}

/**
 * The database behind a connection, which `close` gives back in the state that it had: a client or a
 * pool of `pg`, a connection or a pool of `mysql2`, a database of `better-sqlite3`, `libsql` or
 * `node:sqlite`; none of them in a transaction. With `isAlone` a connection that is no pool is had by
 * nobody else who says so, until `close`.
 *
 * @throws `invalid-argument`; `engine-unsupported` for a `node:sqlite` that is too old; `DatabaseError`
 */
export async function of(connection: unknown, isAlone = false): Promise<Database> {
  if (isObject(connection)) {
    if (has(connection, "prepare", "exec")) {
      const found = connection as unknown as SqliteConnection;
      return new SqliteDatabase(single(found, isAlone)).opened();
    }
    const ofPostgres = sourceOfPostgres(connection, isAlone);
    if (ofPostgres !== undefined) return new PostgresDatabase(ofPostgres).opened();
    const ofMysql = sourceOfMysql(connection, isAlone);
    if (ofMysql !== undefined) return new MysqlDatabase(ofMysql).opened();
  }
  const kinds = "pg, mysql2, better-sqlite3, libsql or node:sqlite";
  throw invalidArgument(`a database is a connection, or a pool, of ${kinds}`);
}

async function postgres(target: Target): Promise<Database> {
  const driver = await load<PostgresModule>("postgresql", ["pg"]);
  return new PostgresDatabase({
    take: () => openPostgres(driver, target),
    giveBack: (client) => client.end(),
    again: true,
  }).opened();
}

async function mysql(target: Target): Promise<Database> {
  const driver = await load<MysqlModule>("mysql", ["mysql2/promise"]);
  return new MysqlDatabase({
    take: () => openMysql(driver, target),
    giveBack: (connection) => connection.destroy(),
    again: true,
  }).opened();
}

async function sqlite(target: Target): Promise<Database> {
  const { database } = target;
  if (!existsSync(database)) {
    // A job that makes an empty file has the wrong path.
    const message = `there is no database file ${JSON.stringify(database)}`;
    throw new DatabaseError("sqlite", { code: "14", message });
  }
  const driver = await load<object>(
    "sqlite",
    ["better-sqlite3", "node:sqlite", "libsql"],
    // Its native part is loaded only now, and may be missing, or be one for another Node.
    (found) => void openSqlite(found, ":memory:").close(),
  );
  return new SqliteDatabase({
    take: () => openSqlite(driver, database),
    giveBack: (connection) => void connection.close(),
    again: true,
  }).opened();
}

/** The first of these packages that is there, beside this one or in the project that runs, and that works. */
async function load<T>(
  dialect: string,
  names: readonly string[],
  use: (driver: T) => void = () => undefined,
): Promise<T> {
  let wrong: string | undefined;
  for (const name of names) {
    const found = await imported(name).catch((error: unknown) => {
      const reason = textIn(error, "code") ?? textIn(error, "name") ?? "it threw";
      wrong ??= `${name} is there, but cannot be loaded (${reason})`;
    });
    if (found === undefined) continue;
    const driver = (found["default"] ?? found) as T;
    try {
      use(driver);
      return driver;
    } catch (error) {
      wrong ??=
        error instanceof ResealError
          ? error.message
          : `${name} has no binary for this Node: npm rebuild ${name}`;
    }
  }
  const [name = ""] = names.map((found) => found.split("/")[0]);
  wrong ??= `a driver for ${dialect} is missing: npm install ${name}`;
  throw new ResealError("engine-unsupported", wrong);
}

type Found = Record<string, unknown>;

/** Bundlers leave what they cannot see: the driver is asked for when a program runs. */
async function imported(name: string): Promise<Found | undefined> {
  try {
    return (await import(/* webpackIgnore: true */ /* @vite-ignore */ name)) as Found;
  } catch {
    // It may be elsewhere, and a program that runs in a vm, as tests of jest do, imports nothing.
  }
  // The `require` of jest resolves whatever is called `node:`.
  if (name.startsWith("node:") && !isBuiltin(name)) return undefined;
  const places = [
    // CommonJS files are built without `import.meta.url`.
    () => (typeof import.meta.url === "string" ? import.meta.url : __filename),
    () => join(cwd(), "package.json"),
  ];
  for (const place of places) {
    let require: NodeJS.Require;
    try {
      require = createRequire(place());
      require.resolve(name);
    } catch {
      // There is no such place, or nothing in it: a bundle may say it is elsewhere, and a folder be gone.
      continue;
    }
    return require(name) as Found;
  }
  return undefined;
}

function has(object: Record<string, unknown>, ...methods: string[]): boolean {
  return methods.every((method) => typeof object[method] === "function");
}
