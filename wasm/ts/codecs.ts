// The codecs: a function for each format.
import { Codec, makeCodec, recognize } from "./codec.js";
import {
  djangoCryptographyEntries,
  djangoFernetEntries,
  fernetFieldsEntries,
  keyEntries,
  metabaseEntries,
  n8nEntries,
  railsEntries,
  sentryEntries,
  sqlalchemyUtilsEntries,
  type DjangoCryptographyOptions,
  type DjangoFernetOptions,
  type FernetFieldsOptions,
  type FernetOptions,
  type FreeboardOptions,
  type MetabaseOptions,
  type N8nOptions,
  type RailsOptions,
  type SentryOptions,
  type SqlalchemyUtilsOptions,
} from "./codec-options.js";
import { plain, reseal } from "./codecs-own.js";
import { N8nDataKey, rewrapN8nRow } from "./n8n-keys.js";

export { Codec, N8nDataKey, plain, recognize, reseal, rewrapN8nRow };

/**
 * Fernet tokens, as pyca/cryptography's `Fernet` and `MultiFernet` have them.
 *
 * @throws `invalid-key`, `invalid-argument`
 * @example
 * const codec = codecs.fernet({ keys: ["cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="] });
 */
export function fernet(options: FernetOptions): Codec {
  const entries = keyEntries(options);
  return makeCodec("fernet", options.name ?? "fernet", entries);
}

/**
 * The fields of django-fernet-encrypted-fields. Deriving a key, of each secret with each salt, takes
 * 100,000 rounds of PBKDF2, here and not when values are opened.
 *
 * @throws `invalid-key`, `invalid-argument`
 * @example
 * const codec = codecs.djangoFernet({ secrets: ["a secret key"], salts: ["a salt"] });
 */
export function djangoFernet(options: DjangoFernetOptions): Codec {
  const entries = djangoFernetEntries(options);
  return makeCodec("django-fernet", options.name ?? "django-fernet", entries);
}

/**
 * The fields of django-fernet-fields, its second version and djfernet, in binary columns.
 *
 * @throws `invalid-key`, `invalid-argument`
 * @example
 * const codec = codecs.fernetFields({ secrets: ["new key", "old key"] });
 */
export function fernetFields(options: FernetFieldsOptions): Codec {
  const entries = fernetFieldsEntries(options);
  return makeCodec("fernet-fields", options.name ?? "fernet-fields", entries);
}

/**
 * The encrypted fields of django-cryptography, in binary columns. Their values are pickles of Python, of
 * which only those that build nothing by code are read. Deriving a key takes 30,000 rounds of PBKDF2,
 * here and not when values are opened.
 *
 * @throws `invalid-key`, `invalid-argument`
 * @example
 * const codec = codecs.djangoCryptography({ secrets: ["a secret key"], field: "integer" });
 */
export function djangoCryptography(options: DjangoCryptographyOptions): Codec {
  const entries = djangoCryptographyEntries(options);
  return makeCodec("django-cryptography", options.name ?? "django-cryptography", entries);
}

/**
 * The encrypted types of SQLAlchemy-Utils. The engine `aes` authenticates nothing: its values are
 * resealed only with `expect`.
 *
 * @throws `invalid-key`, `invalid-argument`
 * @example
 * const codec = codecs.sqlalchemyUtils({ keys: ["secretkey1234"], padding: "pkcs5", expect: "utf8" });
 * const { plaintext } = codec.open("TK6BdvqZbLgCdkBS0tg9eQ==");
 */
export function sqlalchemyUtils(options: SqlalchemyUtilsOptions): Codec {
  const entries = sqlalchemyUtilsEntries(options);
  return makeCodec("sqlalchemy-utils", options.name ?? "sqlalchemy-utils", entries);
}

/**
 * The encrypted fields of Sentry.
 *
 * @throws `invalid-key` names the id of a key that is none; `invalid-argument`
 * @example
 * const keys = { key_2024: "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=" };
 * const codec = codecs.sentry({ keys, primary: "key_2024" });
 */
export function sentry(options: SentryOptions): Codec {
  const entries = sentryEntries(options);
  return makeCodec("sentry", options.name ?? "sentry", entries);
}

/**
 * Attributes of Active Record Encryption. Deriving a key takes 65,536 rounds of PBKDF2, here and
 * not when values are opened.
 *
 * @throws `invalid-key`, `invalid-argument`
 * @example
 * const codec = codecs.rails({ primaryKeys: ["old", "new"], keyDerivationSalt: "a salt" });
 */
export function rails(options: RailsOptions): Codec {
  const entries = railsEntries(options);
  return makeCodec("rails", options.name ?? "rails", entries);
}

/**
 * The encrypted columns of Metabase. Deriving a key takes 100,000 rounds of PBKDF2, here and not
 * when values are opened.
 *
 * @throws `invalid-key`, `duplicate-key`, `invalid-argument`
 * @example
 * const codec = codecs.metabase({ keys: ["a secret of 16 characters or more"] });
 */
export function metabase(options: MetabaseOptions): Codec {
  const entries = metabaseEntries(options);
  return makeCodec("metabase", options.name ?? "metabase", entries);
}

/**
 * The credentials of n8n, with and without the id of a key before them.
 *
 * @throws `invalid-key`, `duplicate-key`, `no-primary`, `format-unsupported`, `malformed`,
 * `auth-failed` for a row that no key unwraps; `invalid-argument`
 * @example
 * const codec = codecs.n8n({ instanceKeys: ["test_key"], expect: "json" });
 */
export function n8n(options: N8nOptions): Codec {
  const entries = n8nEntries(options);
  return makeCodec("n8n", options.name ?? "n8n", entries);
}

/**
 * The credential profiles of Freeboard.
 *
 * @throws `invalid-key`, `invalid-argument`
 * @example
 * const codec = codecs.freeboard({ keys: ["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="] });
 */
export function freeboard(options: FreeboardOptions): Codec {
  const entries = keyEntries(options);
  return makeCodec("freeboard", options.name ?? "freeboard", entries);
}
