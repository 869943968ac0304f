// The codecs: a function for each format.
import { Codec, makeCodec, recognize } from "./codec.js";
import {
  keyEntries,
  metabaseEntries,
  n8nEntries,
  railsEntries,
  sentryEntries,
  type FernetOptions,
  type FreeboardOptions,
  type MetabaseOptions,
  type N8nOptions,
  type RailsOptions,
  type SentryOptions,
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
