// The options of the codecs of other systems, as entries for the module.
import { invalidArgument } from "./errors.js";
import { textOf, type Entry, type Part } from "./parts.js";
import { byteLength, isBytes } from "./value.js";
import { checkOptions, flagOf, listOf, wordOf } from "./words.js";

/** What every codec has. */
export interface CodecOptions {
  /** The name in columns and reports; the kind by default. */
  readonly name?: string | undefined;
}

/** What every codec of another system has. */
export interface ForeignOptions extends CodecOptions {
  /** Reads also what that system reads although it would not write it. */
  readonly lenient?: boolean | undefined;
}

/** The options of `codecs.fernet`. */
export interface FernetOptions extends ForeignOptions {
  /** Keys in base64, as `Fernet.generate_key()` gives them: the first seals, all of them open. */
  readonly keys: readonly string[];
}

/** The options of `codecs.djangoFernet`. */
export interface DjangoFernetOptions extends ForeignOptions {
  /** `SECRET_KEY` and `SECRET_KEY_FALLBACKS`: the first seals, all of them open. */
  readonly secrets: readonly string[];
  /** What `SALT_KEY` has: the first seals, all of them open with every secret. */
  readonly salts: readonly string[];
}

/** The options of `codecs.fernetFields`. */
export interface FernetFieldsOptions extends ForeignOptions {
  /** `FERNET_KEYS`, or `SECRET_KEY`: the first seals, all of them open. */
  readonly secrets: readonly string[];
  /** `DJFERNET_PREFIX`, where the settings have one. */
  readonly prefix?: string | undefined;
  /** `FERNET_USE_HKDF`, true by default: without it the secrets are Fernet keys themselves. */
  readonly hkdf?: boolean | undefined;
}

/** The options of `codecs.djangoCryptography`. */
export interface DjangoCryptographyOptions extends CodecOptions {
  /** Those of `SECRET_KEY`: the first seals, all of them open. */
  readonly secrets: readonly string[];
  /** Those of `CRYPTOGRAPHY_KEY`, where the settings have one. */
  readonly cryptographyKeys?: readonly string[] | undefined;
  /** `CRYPTOGRAPHY_SALT`, where the settings have one. */
  readonly salt?: string | undefined;
  /** `CRYPTOGRAPHY_DIGEST`, where the settings have one: `sha256` by default. */
  readonly digest?: "sha256" | "sha512-256" | "md5" | undefined;
  /**
   * In place of the three: what `key=` of `encrypt()` has, the bytes of AES-128 or AES-256, used as they
   * are. The first one seals.
   */
  readonly fieldKeys?: readonly Uint8Array[] | undefined;
  /** What the field holds; `text` by default. */
  readonly field?: "text" | "bytes" | "integer" | "float" | "boolean" | "json" | undefined;
}

/** The options of `codecs.sqlalchemyUtils`. */
export interface SqlalchemyUtilsOptions extends ForeignOptions {
  /** Keys as text: the first seals, all of them open. */
  readonly keys: readonly string[];
  /** What the type is declared with; `aes` by default. */
  readonly engine?: "aes" | "aes-gcm" | "fernet" | undefined;
  /** The padding of the engine `aes`; `naive` by default. */
  readonly padding?: "naive" | "pkcs5" | "oneandzeroes" | "zeroes" | undefined;
  /** What the plaintexts of the engine `aes` are, which authenticates nothing. */
  readonly expect?: "json" | "utf8" | undefined;
}

/** The options of `codecs.sentry`. */
export interface SentryOptions extends ForeignOptions {
  /** Keys by their ids, which are the names of their files. */
  readonly keys: Readonly<Record<string, string>>;
  /** The id of the key that seals. */
  readonly primary: string;
  /** How the field is declared: `text` by default. */
  readonly field?: "text" | "json" | undefined;
  /** What is written: tokens by default, or plaintext with a marker, which is not encrypted. */
  readonly method?: "fernet" | "plaintext" | undefined;
  /**
   * Whether values that were never encrypted are believed, as Sentry does; true by default. Say
   * false as soon as none are left.
   */
  readonly plaintext?: boolean | undefined;
}

/** A scheme of Rails, current or previous. */
export interface RailsScheme {
  /** `primary_key`, one or more: the last seals, all of them open. */
  readonly primaryKeys?: readonly string[] | undefined;
  /** `key_derivation_salt`. */
  readonly keyDerivationSalt: string;
  /** `hash_digest_class`: the first seals, all of them open; `["sha256"]` by default. */
  readonly digests?: readonly ("sha1" | "sha256")[] | undefined;
  /** `deterministic_key`, which counts with `deterministic`. */
  readonly deterministicKeys?: readonly string[] | undefined;
  /** Keys that open what the others do not, under the same options. */
  readonly previousKeys?: readonly string[] | undefined;
  /** Whole schemes that open what this one does not. */
  readonly previous?: readonly RailsScheme[] | undefined;
  /** `deterministic: true`: equal texts are equal values. */
  readonly deterministic?: boolean | undefined;
  /** `EnvelopeEncryptionKeyProvider`: each value has a key of its own. */
  readonly envelope?: boolean | undefined;
  /** `store_key_references`: seals with the name of the key. */
  readonly storeKeyReferences?: boolean | undefined;
  /** `message_serializer`: `json` by default. */
  readonly serializer?: "json" | "message_pack" | undefined;
  /** Whether longer values are compressed, as Rails does by default. */
  readonly compress?: boolean | undefined;
  /** Reads as Rails does where the headers of a value were changed. */
  readonly lenient?: boolean | undefined;
}

/** The options of `codecs.rails`: those of `config.active_record.encryption` and of `encrypts`. */
export interface RailsOptions extends RailsScheme, CodecOptions {}

/** The options of `codecs.metabase`. */
export interface MetabaseOptions extends ForeignOptions {
  /** The values of `MB_ENCRYPTION_SECRET_KEY`: the first seals, all of them open. */
  readonly keys: readonly string[];
  /** The rows of `data_encryption_key`: `key_material`, decoded from base64, by `id`. */
  readonly dataKeys?: Readonly<Record<number, Uint8Array>> | undefined;
  /** What each value is bound to, with names of its context in braces: `setting.{key}`. */
  readonly aad?: string | undefined;
  /**
   * Whether the column holds streams, which nothing authenticates: with them `expect` has to say
   * what the plaintexts are. Read them only to move them away.
   */
  readonly streams?: boolean | undefined;
  /** What the plaintext of a stream is. */
  readonly expect?: "json" | "utf8" | undefined;
}

/** A row of the table `deployment_key` of n8n, with the names of its columns. */
export interface N8nRow {
  /** What stands before the colon of a value. */
  readonly id: string;
  /** `data_encryption` for the keys of values. */
  readonly type: string;
  /** A wrapped key. */
  readonly value: string;
  /** `aes-256-gcm` or `aes-256-cbc` for the keys of values. */
  readonly algorithm?: string | null | undefined;
  /** `active` or `inactive`. */
  readonly status: string;
}

/** The options of `codecs.n8n`. */
export interface N8nOptions extends ForeignOptions {
  /** Instance keys (`N8N_ENCRYPTION_KEY`), verbatim: the first writes, all of them open. */
  readonly instanceKeys?: readonly string[] | undefined;
  /** The key of an export file, in place of instance keys and rows. */
  readonly customKey?: string | undefined;
  /** The rows of the table `deployment_key`. */
  readonly rows?: readonly N8nRow[] | undefined;
  /**
   * What is written: `legacy`, values without a prefix, which every n8n reads and nothing authenticates, or
   * `prefixed`, under the active row. Where a row is active it has to be said; it is `legacy` otherwise.
   */
  readonly write?: "legacy" | "prefixed" | undefined;
  /** What the plaintexts are: `json` for the credentials of n8n. AES-CBC authenticates nothing. */
  readonly expect?: "json" | "utf8" | undefined;
}

/** The options of `codecs.freeboard`. */
export interface FreeboardOptions extends ForeignOptions {
  /** The values of `CREDENTIAL_ENCRYPTION_KEY`: the first seals, all of them open. */
  readonly keys: readonly string[];
}

export function keyEntries(options: FernetOptions | FreeboardOptions): Entry[] {
  checkOptions(options, ["keys", "lenient", "name"]);
  const { keys, lenient } = options;
  return [...texts(keys, "keys"), ...flag(lenient, "lenient")];
}

export function djangoFernetEntries(options: DjangoFernetOptions): Entry[] {
  checkOptions(options, ["secrets", "salts", "lenient", "name"]);
  const { secrets, salts, lenient } = options;
  return [...texts(secrets, "secrets"), ...texts(salts, "salts"), ...flag(lenient, "lenient")];
}

export function fernetFieldsEntries(options: FernetFieldsOptions): Entry[] {
  checkOptions(options, ["secrets", "prefix", "hkdf", "lenient", "name"]);
  const { secrets, prefix, hkdf = true, lenient } = options;
  if (prefix !== undefined && !flagOf(hkdf, "hkdf")) {
    throw invalidArgument("without hkdf nothing is derived: leave the prefix out");
  }
  return [
    ...texts(secrets, "secrets"),
    ...maybeText(prefix, "prefix"),
    ...(flagOf(hkdf, "hkdf") ? [] : [["noHkdf", ""] as const]),
    ...flag(lenient, "lenient"),
  ];
}

export function djangoCryptographyEntries(options: DjangoCryptographyOptions): Entry[] {
  const names = ["secrets", "cryptographyKeys", "salt", "digest", "fieldKeys", "field", "name"];
  checkOptions(options, names);
  const { secrets, cryptographyKeys, salt, digest, fieldKeys, field } = options;
  const derives = [
    ...texts(cryptographyKeys, "cryptographyKeys"),
    ...maybeText(salt, "salt"),
    ...maybeText(digest, "digest"),
  ];
  const ofField = listOf(fieldKeys ?? [], "fieldKeys").map(fieldKey);
  if (ofField.length > 0 && derives.length > 0) {
    throw invalidArgument(
      "the keys of a field are not derived: leave out cryptographyKeys, salt and digest",
    );
  }
  return [...texts(secrets, "secrets"), ...derives, ...ofField, ...maybeText(field, "field")];
}

function fieldKey(key: unknown): Entry {
  if (!isBytes(key) || byteLength(key) > 256) {
    throw invalidArgument("each of fieldKeys is a Uint8Array of 16 or 32 bytes");
  }
  return ["fieldKeys", key];
}

export function sqlalchemyUtilsEntries(options: SqlalchemyUtilsOptions): Entry[] {
  checkOptions(options, ["keys", "engine", "padding", "expect", "lenient", "name"]);
  const { keys, engine = "aes", padding, expect, lenient } = options;
  if (expect !== undefined && engine !== "aes") {
    throw invalidArgument("only the engine aes of SQLAlchemy-Utils takes expect: leave it out");
  }
  return [
    ...texts(keys, "keys"),
    ["engine", textOf(engine, "engine")],
    ...maybeText(padding, "padding"),
    ...expectation(expect),
    ...flag(lenient, "lenient"),
  ];
}

export function sentryEntries(options: SentryOptions): Entry[] {
  checkOptions(options, ["keys", "primary", "field", "method", "plaintext", "lenient", "name"]);
  const { keys, primary, field, method, plaintext = true, lenient } = options;
  return [
    ...entriesOf(keys, "keys").map(([id, text]): Entry => {
      return ["keys", [["id", textOf(id, "the id of a key")], ["text", textOf(text, "a key")]]]; // prettier-ignore
    }),
    ["primary", textOf(primary, "primary")],
    ["field", wordOf(field, "field", ["text", "json"])],
    ["method", wordOf(method, "method", ["fernet", "plaintext"])],
    ...(flagOf(plaintext, "plaintext") ? [] : [["noPlaintext", ""] as const]),
    ...flag(lenient, "lenient"),
  ];
}

const RAILS_NAMES = [
  "primaryKeys",
  "keyDerivationSalt",
  "digests",
  "deterministicKeys",
  "previousKeys",
  "previous",
  "deterministic",
  "envelope",
  "storeKeyReferences",
  "serializer",
  "compress",
  "lenient",
] as const;

export function railsEntries(options: RailsOptions): Entry[] {
  checkOptions(options, [...RAILS_NAMES, "name"]);
  return schemeEntries(options);
}

function schemeEntries(scheme: RailsScheme): Entry[] {
  const { primaryKeys, keyDerivationSalt, digests, deterministicKeys, previousKeys } = scheme;
  const { previous = [], deterministic, envelope, storeKeyReferences, lenient } = scheme;
  const { serializer, compress = true } = scheme;
  const digest = (word: unknown) => wordOf(word, "a digest", ["sha256", "sha1"]);
  return [
    ...texts(primaryKeys, "primaryKeys"),
    ["keyDerivationSalt", textOf(keyDerivationSalt, "keyDerivationSalt")],
    ...listOf(digests ?? [], "digests").map((word): Entry => ["digests", digest(word)]),
    ...texts(deterministicKeys, "deterministicKeys"),
    ...texts(previousKeys, "previousKeys"),
    ...listOf(previous, "previous").map((one): Entry => {
      checkOptions(one, RAILS_NAMES);
      return ["previous", schemeEntries(one as RailsScheme)];
    }),
    ...flag(deterministic, "deterministic"),
    ...flag(envelope, "envelope"),
    ...flag(storeKeyReferences, "storeKeyReferences"),
    ["serializer", wordOf(serializer, "serializer", ["json", "message_pack"])],
    ...(flagOf(compress, "compress") ? [] : [["uncompressed", ""] as const]),
    ...flag(lenient, "lenient"),
  ];
}

export function metabaseEntries(options: MetabaseOptions): Entry[] {
  checkOptions(options, ["keys", "dataKeys", "aad", "streams", "expect", "lenient", "name"]);
  const { keys, dataKeys, aad, streams, expect, lenient } = options;
  return [
    ...texts(keys, "keys"),
    ...entriesOf(dataKeys ?? {}, "dataKeys").map(([id, row]): Entry => [
      "dataKeys",
      dataKey(id, row),
    ]),
    ...(aad === undefined ? [] : [["aad", textOf(aad, "aad")] as const]),
    ...flag(streams, "streams"),
    ...expectation(expect),
    ...flag(lenient, "lenient"),
  ];
}

export function n8nEntries(options: N8nOptions): Entry[] {
  checkOptions(options, [
    "instanceKeys",
    "customKey",
    "rows",
    "write",
    "expect",
    "lenient",
    "name",
  ]);
  const { instanceKeys, customKey, rows = [], write, expect, lenient } = options;
  return [
    ...texts(instanceKeys, "instanceKeys"),
    ...(customKey === undefined ? [] : [["customKey", textOf(customKey, "customKey")] as const]),
    ...listOf(rows, "rows").map((row): Entry => ["rows", rowEntries(row)]),
    ...(write === undefined
      ? []
      : [["write", wordOf(write, "write", ["legacy", "prefixed"])] as const]),
    ...expectation(expect),
    ...flag(lenient, "lenient"),
  ];
}

/** A row; further columns of it are left out. */
export function rowEntries(row: unknown): Entry[] {
  if (typeof row !== "object" || row === null) {
    throw invalidArgument("a row of deployment_key is an object with the names of its columns");
  }
  const { id, type, value, algorithm, status } = row as Record<string, unknown>;
  return [
    ["id", textOf(id, "the id of a row")],
    ["type", textOf(type, "the type of a row")],
    ["value", textOf(value, "the value of a row")],
    ...(algorithm === undefined || algorithm === null
      ? []
      : [["algorithm", textOf(algorithm, "the algorithm of a row")] as const]),
    ["status", textOf(status, "the status of a row")],
  ];
}

/** One entry for each text of a list. */
export function texts(list: unknown, name: string): Entry[] {
  return listOf(list ?? [], name).map((text) => [name, textOf(text, `one of ${name}`)]);
}

/** One entry for an option that is on. */
export function flag(value: unknown, name: string): Entry[] {
  return flagOf(value, name) ? [[name, ""]] : [];
}

function maybeText(value: unknown, name: string): Entry[] {
  return value === undefined ? [] : [[name, textOf(value, name)]];
}

function expectation(expect: unknown): Entry[] {
  if (expect === undefined) return [];
  return [["expect", wordOf(expect, "expect", ["json", "utf8"])]];
}

/** Those of an object; a `Map` or a list would give none, or others. */
function entriesOf(object: unknown, name: string): [string, unknown][] {
  if (typeof object === "object" && object !== null && !(Symbol.iterator in object)) {
    return Object.entries(object);
  }
  throw invalidArgument(`${name} is an object with a member for each, and no Map or array`);
}

/** Four bytes for the id, and the row. */
function dataKey(id: string, row: unknown): Part {
  const number = /^[0-9]{1,10}$/.test(id) ? Number(id) : NaN;
  if (!(number <= 0xffffffff)) throw invalidArgument("the id of a data key is a whole number");
  if (!isBytes(row) || byteLength(row) > 4096) {
    throw invalidArgument("a data key is a Uint8Array: its key_material, decoded from base64");
  }
  const part = new Uint8Array(4 + byteLength(row));
  new DataView(part.buffer).setUint32(0, number, true);
  part.set(row, 4);
  return part;
}
