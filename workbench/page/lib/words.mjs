// What codecs and modes are called in front of people.
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

export const CERTAINTY_WORDS = {
  yes: "sure: the bytes carry its mark",
  maybe: "maybe: the bytes only fit",
};

export const MODE_WORDS = {
  random: "a fresh nonce for every value",
  deterministic: "one envelope for one value: equal values show",
  padded: "random, with the length hidden up to a bucket",
};
