// Opening one value. The context has been written at the beginning of the input.
import { inspection, type WasmRing } from "../pkg/reseal_wasm.js";
import { BINARY, TEXT, writeEnvelope } from "./envelope.js";
import { invalidArgument } from "./errors.js";
import {
  FAILED,
  made,
  reported,
  succeeded,
  takeAscii,
  takeBytes,
  takeSecretBytes,
  takeSecretText,
} from "./memory.js";
import { writeStored, writeStoredBinary, type Bytes } from "./value.js";
import type { ModeNumber } from "./words.js";

/** Without one, the value keeps the mode that it has. */
type OtherMode = ModeNumber | undefined;
type Form = typeof TEXT | typeof BINARY;

export function open(ring: WasmRing, context: number, stored: unknown): Bytes {
  succeeded(ring.open(context, writeStored(stored, context), TEXT));
  return takeSecretBytes();
}

export function openBinary(ring: WasmRing, context: number, stored: unknown): Bytes {
  succeeded(ring.open(context, writeStoredBinary(stored, context), BINARY));
  return takeSecretBytes();
}

export function openString(ring: WasmRing, context: number, stored: unknown): string {
  succeeded(ring.openString(context, writeStored(stored, context)));
  return takeSecretText();
}

export function reseal(ring: WasmRing, context: number, stored: string, mode: OtherMode): string {
  const changed = succeeded(ring.reseal(context, writeStored(stored, context), mode, TEXT));
  return changed ? takeAscii() : stored;
}

export function resealBinary(
  ring: WasmRing,
  context: number,
  stored: Uint8Array,
  mode: OtherMode,
): Uint8Array {
  const changed = succeeded(ring.reseal(context, writeStoredBinary(stored, context), mode, BINARY));
  return changed ? takeBytes() : stored;
}

export function isCurrent(ring: WasmRing, stored: unknown, mode: OtherMode, form: Form): boolean {
  return !succeeded(ring.isCurrent(writeEnvelope(stored, 0, form), mode, form));
}

/** `ok`, or the code of what is wrong with the keys. */
export function check(ring: WasmRing, canary: unknown): string {
  if (typeof canary !== "string") throw invalidArgument("a canary is text");
  return made(ring.check(writeStored(canary, 0)));
}

/** What to throw for a context that cannot be read: the envelope's own error comes first. */
export function envelopeErrorOr(error: unknown, stored: unknown, form: Form): unknown {
  try {
    const shown: unknown = inspection(writeEnvelope(stored, 0, form), form);
    return shown === undefined ? reported(FAILED) : error;
  } catch (envelopeError) {
    return envelopeError;
  }
}
