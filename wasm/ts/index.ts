// What both entries export.
export type { Bytes, Value } from "./value.js";
export type { Context, ContextValue } from "./context.js";
export type { Environment } from "./source.js";
export type { IndexOptions } from "./blind-index.js";
export type { KeyringOptions } from "./builder.js";
export type { KeyState, KeyUse, Mode, Normalizer } from "./words.js";
export { inspect, toBinary, toText, type Inspection } from "./envelope.js";
export {
  DecryptError,
  ERROR_CODES,
  FormatError,
  KeyringError,
  ResealError,
  type ErrorCode,
} from "./errors.js";
export { Field, type Rows } from "./field.js";
export { Key } from "./key.js";
export { Keyring, type KeyInfo, type Outcome } from "./keyring.js";

declare const RESEAL_VERSION: string;

/** The version of this package. */
export const version: string = RESEAL_VERSION;
