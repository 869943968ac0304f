// How a keyset document is opened, and what a keyset is wrapped under.
import { WasmDocument, WasmNewKek, type WasmKeyset } from "../pkg/reseal_wasm.js";
import { deriving } from "./argon2.js";
import { invalidArgument, KeyringError } from "./errors.js";
import { handleOf, Key, notAKey, writeKeyText } from "./key.js";
import { copyInput, made, succeeded } from "./memory.js";
import { generationOf } from "./numbers.js";
import { passphraseOf, writeRaw, type Part } from "./parts.js";
import { expectedRing, type Expectation } from "./source.js";
import { byteLength, isBytes, isWellFormed } from "./value.js";
import { isArray, listOf } from "./words.js";

/** What opens a keyset, one thing of it or more, and what is known of it beforehand. */
export interface KeysetLoadOptions extends Expectation {
  /** A key-encrypting key, or several: `Key` objects or key texts. */
  readonly kek?: Key | string | readonly (Key | string)[] | undefined;
  /** A passphrase; bytes can be wiped by their owner, text cannot. */
  readonly passphrase?: string | Uint8Array | undefined;
}

/** A document that is being opened. */
export interface Parsed {
  readonly parsed: WasmDocument;
  /** Exactly what was parsed. */
  readonly bytes: Uint8Array;
}

/** Adds to a document what is to open it. */
export type Opener = (document: WasmDocument) => void;

/** One more than a keyset may have: the core says what is wrong with it. */
const TOO_MANY = 1_048_577;

/** What may be in a document; nothing of it is verified. The caller frees or unlocks it. */
export function parseDocument(document: unknown): Parsed {
  const used = writeDocument(document);
  const bytes = copyInput(used);
  return { parsed: made(WasmDocument.parse(used)), bytes };
}

/** Writes a document; what has no UTF-8 form is no keyset. */
export function writeDocument(document: unknown): number {
  if (isBytes(document)) return writeRaw(beginning(document), 0);
  if (typeof document !== "string") throw invalidArgument("a keyset is text or a Uint8Array");
  if (isWellFormed(document)) return writeRaw(document.slice(0, TOO_MANY), 0);
  throw new KeyringError(
    "keyset-malformed",
    "the keyset has a lone surrogate, which UTF-8 has no bytes for",
  );
}

/** The keyset of a document, which is used up, whatever happens. */
export function unlock(
  document: WasmDocument,
  openers: readonly Opener[],
  { ring, minGeneration }: { ring: string; minGeneration: bigint },
): WasmKeyset {
  try {
    for (const open of openers) open(document);
  } catch (error) {
    document.free();
    throw error;
  }
  return made(document.unlock(writeRaw(ring, 0), minGeneration));
}

/** What is expected of a keyset. */
export function expectedOf({ ring, minGeneration }: Expectation): {
  ring: string;
  minGeneration: bigint;
} {
  return { ring: expectedRing(ring), minGeneration: generationOf(minGeneration) };
}

/** What opens a keyset, out of options. */
export function openersOf({ kek, passphrase }: KeysetLoadOptions): Opener[] {
  const keks = kek === undefined ? [] : isArray(kek) ? listOf(kek, "kek") : [kek];
  const openers = keks.map(keyOpener);
  if (passphrase !== undefined) openers.push(passphraseOpener(passphraseOf(passphrase)));
  return openers;
}

export function keyOpener(kek: unknown): Opener {
  if (kek instanceof Key) return (document) => void succeeded(document.addKey(handleOf(kek)));
  if (typeof kek !== "string") throw notAKey(kek);
  return (document) => void succeeded(document.addText(writeKeyText(kek)));
}

export function passphraseOpener(passphrase: Part): Opener {
  return (document) =>
    deriving((derivation) => {
      succeeded(document.addPassphrase(writeRaw(passphrase, 0), derivation));
    });
}

/** A key-encrypting key for a keyset: a `Key`, or a key text. */
export function newKek(kek: unknown): WasmNewKek {
  if (kek instanceof Key) return made(WasmNewKek.key(handleOf(kek)));
  return made(WasmNewKek.text(writeKeyText(kek)));
}

/** The key of a passphrase, with a fresh salt. */
export function newPassphrase(passphrase: unknown): WasmNewKek {
  const part = passphraseOf(passphrase);
  return deriving((derivation) => made(WasmNewKek.passphrase(writeRaw(part, 0), derivation)));
}

function beginning(bytes: Uint8Array): Uint8Array {
  if (byteLength(bytes) <= TOO_MANY) return bytes;
  return new Uint8Array(bytes.buffer, bytes.byteOffset, TOO_MANY);
}
