// Envelopes: what they show without a key, and their two forms.
import { inspection, otherForm } from "../pkg/reseal_wasm.js";
import { ready } from "./engine.js";
import { succeeded, takeAscii, takeBytes } from "./memory.js";
import { isBytes, writeStored, writeStoredBinary, type Bytes } from "./value.js";
import type { Mode } from "./words.js";

/** The number that the module has for a form. */
export const TEXT = 0;
export const BINARY = 1;

/** What an envelope shows without any key. */
export interface Inspection {
  /** The format version, 1. */
  readonly version: number;
  /** The mode that the value was sealed in. */
  readonly mode: Mode;
  /** The id of the key that sealed it. */
  readonly keyId: string;
  /** Bytes of ciphertext: those of the plaintext, or of the padded plaintext. */
  readonly ciphertextBytes: number;
}

/**
 * What a text or binary envelope shows without any key. Nothing is verified.
 *
 * @throws `not-envelope`, `malformed`, `unsupported-version`, `unsupported-mode`, `too-large`
 * @example
 * const ring = new Keyring({ primary: Key.generate() });
 * const shown = inspect(ring.seal("x", {}));
 * if (shown.keyId !== ring.primaryId) throw new Error("never");
 */
export function inspect(stored: string | Uint8Array): Inspection {
  ready();
  const form = isBytes(stored) ? BINARY : TEXT;
  const shown: unknown = inspection(writeEnvelope(stored, 0, form), form);
  succeeded(shown === undefined ? 2 : 0);
  return shown as Inspection;
}

/**
 * The text form of a binary envelope; needs no key.
 *
 * @throws as {@link inspect}
 * @example
 * const ring = new Keyring({ primary: Key.generate() });
 * const text = toText(ring.sealBinary("x", {}));
 */
export function toText(stored: Uint8Array): string {
  ready();
  succeeded(otherForm(writeStoredBinary(stored, 0), BINARY));
  return takeAscii();
}

/**
 * The binary form of a text envelope; needs no key.
 *
 * @throws as {@link inspect}
 * @example
 * const ring = new Keyring({ primary: Key.generate() });
 * const bytes = toBinary(ring.seal("x", {}));
 */
export function toBinary(stored: string): Bytes {
  ready();
  succeeded(otherForm(writeStored(stored, 0), TEXT));
  return takeBytes();
}

/** Writes an envelope of one form. */
export function writeEnvelope(stored: unknown, context: number, form: 0 | 1): number {
  return form === BINARY ? writeStoredBinary(stored, context) : writeStored(stored, context);
}
