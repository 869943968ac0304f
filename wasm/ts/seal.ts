// Sealing one value. The context has been written at the beginning of the input.
import type { WasmIndex, WasmRing } from "../pkg/reseal_wasm.js";
import { checkContext } from "./context.js";
import { BINARY, TEXT } from "./envelope.js";
import { asciiItem, bytesItem, succeeded, takeAscii, takeBytes, takeItems } from "./memory.js";
import { writeValue, type Bytes } from "./value.js";
import type { ModeNumber } from "./words.js";

export function seal(ring: WasmRing, context: number, value: unknown, mode: ModeNumber): string {
  succeeded(ring.seal(context, withValue(context, value), mode, TEXT));
  return takeAscii();
}

export function sealBinary(
  ring: WasmRing,
  context: number,
  value: unknown,
  mode: ModeNumber,
): Bytes {
  succeeded(ring.seal(context, withValue(context, value), mode, BINARY));
  return takeBytes();
}

export function canary(ring: WasmRing): string {
  succeeded(ring.canary());
  return takeAscii();
}

export function lookupValues(ring: WasmRing, context: number, value: unknown): string[] {
  succeeded(ring.lookupValues(context, withValue(context, value), TEXT));
  return takeItems(asciiItem);
}

export function lookupValuesBinary(ring: WasmRing, context: number, value: unknown): Bytes[] {
  succeeded(ring.lookupValues(context, withValue(context, value), BINARY));
  return takeItems(bytesItem);
}

export function indexTerm(
  ring: WasmRing,
  index: WasmIndex,
  context: number,
  value: unknown,
): string {
  succeeded(ring.indexTerm(index, context, withValue(context, value)));
  return takeAscii();
}

export function indexTerms(
  ring: WasmRing,
  index: WasmIndex,
  context: number,
  value: unknown,
): string[] {
  succeeded(ring.indexTerms(index, context, withValue(context, value)));
  return takeItems(asciiItem);
}

/** Writes the value; where the context is wrong as well, its error comes first (section 5). */
function withValue(context: number, value: unknown): number {
  try {
    return writeValue(value, context);
  } catch (error) {
    checkContext(context);
    throw error;
  }
}
