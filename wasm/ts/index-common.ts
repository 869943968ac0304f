// What every entry exports.
export type { Bytes, Value } from "./value.js";
export type { Context, ContextValue } from "./context.js";
export type { FileUrl, PathLike } from "./engine.js";
export type { KeysetLoadOptions } from "./keyset-document.js";
export type {
  At,
  DisableOptions,
  IntroduceOptions,
  KeysetOptions,
  NewKey,
  NewKeysetOptions,
  PromoteOptions,
  ProviderKeysetOptions,
  ProviderLoadOptions,
  RotateOptions,
} from "./keyset-options.js";
export type { Moment } from "./numbers.js";
export type { LiveOptions, LiveStatus } from "./live-ring.js";
export type {
  DirectoryOptions,
  Environment,
  Expectation,
  KeysetSourceOptions,
  SourceKind,
} from "./source.js";
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
export type {
  Codec,
  CodecKind,
  CodecSealOptions,
  OpenedBytes,
  Recognized,
  RecognizedKind,
} from "./codec.js";
export type { CodecOptions } from "./codec-options.js";
export { Column, type ColumnOptions, type StoredIn } from "./column.js";
export type { Classified, Opened, Resealing } from "./column-task.js";
export type { ColumnInputs, ColumnType, ColumnValues } from "./column-type.js";
export type { Certainty, Origin, Trust } from "./stored.js";
export { Field } from "./field.js";
export type { Rows } from "./rows.js";
export { Key } from "./key.js";
export {
  Keyring,
  type CanaryCheck,
  type KeyInfo,
  type KeyringLoadOptions,
  type Outcome,
} from "./keyring.js";
export { LiveKeyring, type LiveDirectoryOptions, type LiveKeysetOptions } from "./live.js";
export type { KeysetSource } from "./live-followed.js";
export { PlaintextWarning } from "./plaintext.js";
export { MemoryKekProvider, type KekProvider } from "./key-services.js";
export { Keyset } from "./keyset.js";
export { KeysetFile, type KeysetFileOptions } from "./keyset-file.js";
export {
  inspectKeyset,
  type KekInfo,
  type KeysetInspection,
  type KeysetKey,
} from "./keyset-info.js";

declare const RESEAL_VERSION: string;

/** The version of this package. */
export const version: string = RESEAL_VERSION;
