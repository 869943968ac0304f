// What codecs and modes are called in front of people.

/** @import { Certainty, CodecKind, Mode } from "../reseal/browser.mjs" */

/** @type {Readonly<Record<CodecKind, string>>} */
export const CODEC_WORDS = {
  plain: "Plain text",
  reseal: "Reseal envelope",
  fernet: "Fernet token",
  "django-fernet": "Token of django-fernet-encrypted-fields",
  "fernet-fields": "Token of django-fernet-fields",
  "django-cryptography": "django-cryptography field",
  "sqlalchemy-utils": "SQLAlchemy-Utils value",
  sentry: "Sentry field",
  rails: "Rails attribute",
  metabase: "Metabase value",
  n8n: "n8n credential",
  freeboard: "Freeboard profile",
};

/** @type {Readonly<Record<Certainty, string>>} */
export const CERTAINTY_WORDS = {
  yes: "sure: the bytes carry its mark",
  maybe: "maybe: the bytes only fit",
};

/** @type {Readonly<Record<Mode, string>>} */
export const MODE_WORDS = {
  random: "a fresh nonce for every value",
  deterministic: "one envelope for one value: equal values show",
  padded: "random, with the length hidden up to a bucket",
};
