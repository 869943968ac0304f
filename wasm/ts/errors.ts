// Errors: one stable code each. The core decides code, class and message of what it refuses.

/** Every code of this release; the list only grows, and is the same in Rust and Python. */
export const ERROR_CODES = Object.freeze([
  "not-envelope",
  "unsupported-version",
  "unsupported-mode",
  "malformed",
  "too-large",
  "context-invalid",
  "invalid-text",
  "unknown-key",
  "key-destroyed",
  "key-disabled",
  "key-wrong-use",
  "auth-failed",
  "no-primary",
  "ring-stale",
  "random-unavailable",
  "invalid-key",
  "duplicate-key",
  "looks-sealed",
  "invalid-argument",
  "not-initialized",
  "engine-unsupported",
  "source-missing",
  "source-conflict",
  "source-unreadable",
  "keyset-malformed",
  "keyset-tampered",
  "keyset-wrong-ring",
  "keyset-outdated",
  "keyset-transition",
  "keyset-conflict",
  "keyset-unwritable",
  "kek-mismatch",
  "key-id-mismatch",
  "format-mismatch",
  "format-unsupported",
  "codec-read-only",
  "double-encrypted",
  "value-invalid",
  "expect-required",
  "manifest-invalid",
  "encryption-required",
  "column-unsuitable",
  "database-error",
  "job-conflict",
  "verification-failed",
  "reader-unable",
  "duplicate-value",
  "constraint-violated",
  "still-in-use",
] as const);

/** A stable error code, such as `auth-failed`. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/**
 * What went wrong: a stable `code`, and a message for a person that holds no secret.
 *
 * @example
 * try {
 *   Key.parse("rsk1.data.oops");
 * } catch (error) {
 *   if (!(error instanceof ResealError) || error.code !== "invalid-key") throw error;
 * }
 */
export class ResealError extends Error {
  /** The stable code: branch on it, not on the message. */
  readonly code: ErrorCode;

  static {
    name(this, "ResealError");
  }

  /** An error with a code and a message of your own. Put no secret into the message. */
  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** A value cannot be opened with the keys of this ring, in this context. */
export class DecryptError extends ResealError {
  static {
    name(this, "DecryptError");
  }
}

/** A key, a ring or a key source is not as it must be. */
export class KeyringError extends ResealError {
  static {
    name(this, "KeyringError");
  }
}

/** The stored value is no envelope that this version reads. */
export class FormatError extends ResealError {
  static {
    name(this, "FormatError");
  }
}

const CLASSES: Record<string, typeof ResealError> = { DecryptError, KeyringError, FormatError };

/** The error that the module wrote: class, code and message, a line each. */
export function errorOf(written: string): ResealError {
  const [kind = "", code = "", ...message] = written.split("\n");
  return new (CLASSES[kind] ?? ResealError)(code as ErrorCode, message.join("\n"));
}

/** The same error, of what stands at a place. */
function errorAt(place: string, { constructor, code, message }: ResealError): ResealError {
  return new (constructor as typeof ResealError)(code, `${place}: ${message}`);
}

/** What a step gives; its errors name the place. */
export function placed<T>(place: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw error instanceof ResealError ? errorAt(place, error) : error;
  }
}

export function invalidArgument(message: string): ResealError {
  return new ResealError("invalid-argument", message);
}

/** A name that survives minifiers, and that JSON and structuredClone do not repeat. */
function name(kind: { prototype: Error }, value: string): void {
  Object.defineProperty(kind.prototype, "name", { value, configurable: true, writable: true });
}
