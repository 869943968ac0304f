// URLs of databases: one spelling in every language, and no password in a message.
import { readFileSync } from "node:fs";
import { textIn, type Dialect } from "./database-base.js";
import { invalidArgument, type ResealError } from "./errors.js";

/** A server and a database, or a file. */
export interface Target {
  readonly dialect: Dialect;
  readonly database: string;
  readonly user: string | null;
  readonly password: string | null;
  readonly host: string;
  readonly port: number;
  readonly sslmode: SslMode;
  readonly sslrootcert: string | null;
  readonly socket: string | null;
  readonly connectSeconds: number;
}

const SSL_MODES = ["disable", "prefer", "require", "verify-ca", "verify-full"] as const;
export type SslMode = (typeof SSL_MODES)[number];

const SCHEMES: ReadonlyMap<string, Dialect> = new Map([
  ["postgresql", "postgresql"],
  ["postgres", "postgresql"],
  ["mysql", "mysql"],
  ["mariadb", "mysql"],
  ["sqlite", "sqlite"],
]);
const SERVER = new RegExp(
  String.raw`^(?:(?<user>[^:@/?#\[\]]*)(?::(?<password>[^:@/?#\[\]]*))?@)?` +
    String.raw`(?<host>\[[0-9A-Fa-f:.]+\]|[^:@/?#\[\]]*)(?::(?<port>[0-9]{1,5}))?` +
    String.raw`/(?<database>[^/?#]+)(?:\?(?<parameters>[^?#]*))?$`,
);
const SHAPE = "scheme://user:password@host:port/database";
const PARAMETERS = ["sslmode", "sslrootcert", "socket", "connect_timeout"];
const CONNECT_SECONDS = "10";
const NOWHERE = {
  user: null,
  password: null,
  host: "localhost",
  port: 0,
  sslmode: "prefer",
  sslrootcert: null,
  socket: null,
  connectSeconds: Number(CONNECT_SECONDS),
} as const;

/**
 * What a URL says.
 *
 * @throws `invalid-argument`, which shows nothing of the URL but its scheme and its parameters
 */
export function parseDatabaseUrl(url: unknown): Target {
  if (typeof url !== "string") throw wrong("it is text");
  if (/[\x00-\x1f\x7f]/.test(url)) throw wrong("it has a line end, or another control character");
  const [, scheme, rest = ""] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^]*)$/.exec(url) ?? [];
  if (scheme === undefined) throw wrong(`it has the form ${SHAPE}, or sqlite:///file`);
  const [name = "", driver] = scheme.toLowerCase().split("+");
  const dialect = SCHEMES.get(name);
  if (dialect === undefined) {
    throw wrong(`the scheme "${scheme}" is unknown: postgresql, mysql or sqlite`);
  }
  if (driver !== undefined) {
    throw wrong(`it names no driver: ${name}:// in the place of ${scheme}://`);
  }
  return dialect === "sqlite" ? fileOf(rest) : serverOf(dialect, rest);
}

/**
 * The file that `sslrootcert` names, as an option of TLS.
 *
 * @throws `invalid-argument` where it cannot be read
 */
export function rootOf({ sslrootcert }: Target): { ca?: Uint8Array } {
  // As "system", libpq spells the certificates of the system, which are taken where none are named.
  if (sslrootcert === null || sslrootcert === "system") return {};
  try {
    return { ca: readFileSync(sslrootcert) };
  } catch (error) {
    const [path, reason] = [JSON.stringify(sslrootcert), textIn(error, "code")];
    throw invalidArgument(`sslrootcert: cannot read ${path} (${reason})`);
  }
}

function fileOf(rest: string): Target {
  if (!rest.startsWith("/") || rest === "/" || rest === "/:memory:" || /[?#]/.test(rest)) {
    throw wrong(
      "a file of SQLite is sqlite:///relative/path or sqlite:////absolute/path, " +
        "with %3F and %23 for ? and #",
    );
  }
  return { ...NOWHERE, dialect: "sqlite", database: decoded(rest.slice(1), "the path") };
}

function serverOf(dialect: "postgresql" | "mysql", rest: string): Target {
  const found = SERVER.exec(rest)?.groups;
  if (found === undefined) {
    throw wrong(
      `it has the form ${SHAPE}; characters such as @ : / ? # [ ] in a user or a password ` +
        "are percent-encoded, @ as %40",
    );
  }
  const { user, password, host = "", database = "" } = found;
  const parameters = parametersOf(found["parameters"] ?? "");
  const port = Number(found["port"] ?? (dialect === "mysql" ? 3306 : 5432));
  if (port < 1 || port > 65_535) throw wrong("a port is a number from 1 to 65535");
  if (parameters.get("sslmode") === "verify-ca" && !parameters.has("sslrootcert")) {
    throw wrong("sslmode=verify-ca needs sslrootcert: any public authority would do otherwise");
  }
  return {
    dialect,
    database: decoded(database, "the database"),
    user: user ? decoded(user, "the user") : null,
    password: password ? decoded(password, "the password") : null,
    host: decoded(host, "the host").replace(/^\[|\]$/g, "") || "localhost",
    port,
    sslmode: sslModeOf(parameters.get("sslmode") ?? "prefer"),
    sslrootcert: parameters.get("sslrootcert") ?? null,
    socket: parameters.get("socket") ?? null,
    connectSeconds: secondsOf(parameters.get("connect_timeout") ?? CONNECT_SECONDS),
  };
}

function parametersOf(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const part of text.split("&").filter((part) => part !== "")) {
    const end = part.indexOf("=");
    const name = end < 0 ? part : part.slice(0, end);
    const value = end < 0 ? "" : part.slice(end + 1);
    // The text of an unknown one may belong to a password.
    if (!PARAMETERS.includes(name)) throw wrong(`after the ? stand only ${PARAMETERS.join(", ")}`);
    if (found.has(name) || value === "") throw wrong(`${name} stands there once, with a value`);
    found.set(name, decoded(value, name));
  }
  return found;
}

function sslModeOf(value: string): SslMode {
  const found = SSL_MODES.find((mode) => mode === value);
  if (found === undefined) throw wrong(`sslmode is one of ${SSL_MODES.join(", ")}`);
  return found;
}

function secondsOf(value: string): number {
  if (/^[1-9][0-9]{0,3}$/.test(value)) return Number(value);
  throw wrong("connect_timeout is a number of seconds from 1 to 9999");
}

function decoded(text: string, what: string): string {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) {
    throw wrong(`${what} has a % that is not percent-encoded: write %25`);
  }
  let found: string;
  try {
    found = decodeURIComponent(text);
  } catch {
    throw wrong(`${what} is no UTF-8`);
  }
  if (found.includes("\0")) throw wrong(`${what} has a zero byte`);
  return found;
}

function wrong(message: string): ResealError {
  return invalidArgument(`the URL of a database is not in order: ${message}`);
}
