// Key services, which keep key-encrypting keys: the port, one for tests, and what keysets do with it.
import { WasmNewKek, type WasmDocument } from "../pkg/reseal_wasm.js";
import { ready } from "./engine.js";
import { invalidArgument, KeyringError, ResealError } from "./errors.js";
import { handleOf, Key } from "./key.js";
import { Keyring } from "./keyring.js";
import { factsOf, type KekInfo } from "./keyset-info.js";
import { bytesItem, made, succeeded, takeItems } from "./memory.js";
import { textOf, writeRaw } from "./parts.js";
import { byteLength, isBytes, type Bytes } from "./value.js";
import { listOf } from "./words.js";

/**
 * A key service: it wraps and unwraps 32 bytes, and never shows its own key. What it rejects with
 * is what the caller gets. {@link MemoryKekProvider} is an example.
 */
export interface KekProvider {
  /** The name that a keyset notes: 1 to 32 characters, `[a-z][a-z0-9_-]*`. */
  readonly name: string;
  /**
   * The bytes that `blob` hides, under the service's key `reference`. Both come from the keyset before it is
   * verified: refuse every reference that is not yours.
   */
  unwrap(reference: string, blob: Bytes): Promise<Uint8Array>;
  /** A blob that hides 32 bytes, under the service's key `reference`; they are wiped afterwards. */
  wrap(reference: string, content: Bytes): Promise<Uint8Array>;
}

const KEY_BYTES = 32;
const MAX_BLOB_BYTES = 8192;

/**
 * A key service in this process, for tests: its key is a ring. A keyset is no safer than the ring.
 *
 * @example
 * const service = new MemoryKekProvider(new Keyring({ primary: Key.generate() }));
 * const blob = await service.wrap("keys/app", new Uint8Array(32));
 * if ((await service.unwrap("keys/app", blob)).length !== 32) throw new Error("never");
 */
export class MemoryKekProvider implements KekProvider {
  readonly #ring: Keyring;

  /** Without a ring it makes one, which ends with it. */
  constructor(ring?: Keyring) {
    if (ring !== undefined && !(ring instanceof Keyring)) {
      throw invalidArgument("a MemoryKekProvider takes a Keyring");
    }
    this.#ring = ring ?? new Keyring({ primary: Key.generate() });
  }

  /** The name that keysets note: `memory`. */
  get name(): string {
    return "memory";
  }

  /** The bytes that `blob` hides. Rejects as {@link Keyring.openBinary} throws. */
  async unwrap(reference: string, blob: Uint8Array): Promise<Bytes> {
    return this.#ring.openBinary(blob, { reference });
  }

  /** A blob that hides `content`. Rejects as {@link Keyring.sealBinary} throws. */
  async wrap(reference: string, content: Uint8Array): Promise<Bytes> {
    return this.#ring.sealBinary(content, { reference }, "deterministic");
  }
}

/** A fresh key-encrypting key that a key service keeps. */
export async function newExternal(provider: KekProvider, reference: unknown): Promise<WasmNewKek> {
  ready();
  const name = nameOf(provider);
  const place = textOf(reference, "a reference");
  const content = randomBytes();
  // Made before the service has the bytes, which might wipe them.
  const key = Key.fromBytes("kek", content);
  try {
    const blob: unknown = await provider.wrap(place, content);
    return wrapped(key, name, place, blob);
  } finally {
    // The service may have transferred them, to a worker that wraps.
    if (content.length > 0) content.fill(0);
    key.dispose();
  }
}

/**
 * The keys of a document that services give. One is enough, so an error counts where there is none,
 * and nothing else opens the document either.
 */
export async function unwrapAll(
  document: WasmDocument,
  providers: unknown,
  hasOthers: boolean,
): Promise<Key[]> {
  const services = listOf(providers, "providers") as KekProvider[];
  const named = new Map(services.map((service) => [nameOf(service), service]));
  const keys: Key[] = [];
  const failures: unknown[] = [];
  for (const { kek, blob } of listed(document, [...named.keys()])) {
    try {
      keys.push(await unwrap(named.get(kek.provider!)!, kek, blob));
    } catch (error) {
      failures.push(error);
    }
  }
  if (keys.length > 0 || hasOthers) return keys;
  if (failures.length > 0) throw failures[0];
  const names = [...named.keys()].sort().join(", ");
  throw new KeyringError(
    "kek-mismatch",
    `this keyset has no key of ${names || "a key service that was given"}`,
  );
}

/** What services of these names keep for a document, in its order. */
function listed(document: WasmDocument, names: readonly string[]): { kek: KekInfo; blob: Bytes }[] {
  const blobs = new Map(names.map((name) => [name, blobsOf(document, name)]));
  return factsOf(document).keks.flatMap((kek) => {
    const blob = kek.provider === undefined ? undefined : blobs.get(kek.provider)?.shift();
    return blob === undefined ? [] : [{ kek, blob }];
  });
}

function blobsOf(document: WasmDocument, name: string): Bytes[] {
  succeeded(document.external(writeRaw(name, 0)));
  // Reference and blob in turns.
  return takeItems(bytesItem).filter((_, i) => i % 2 === 1);
}

async function unwrap(service: KekProvider, kek: KekInfo, blob: Bytes): Promise<Key> {
  const bytes: unknown = await service.unwrap(kek.reference!, blob);
  if (!isBytes(bytes)) throw invalidArgument("a key service unwraps into a Uint8Array");
  const key = Key.fromBytes("kek", bytes);
  if (key.id === kek.id) return key;
  key.dispose();
  throw new KeyringError(
    "kek-mismatch",
    "the key service gave another key than the one of this keyset",
  );
}

function wrapped(key: Key, name: string, reference: string, blob: unknown): WasmNewKek {
  if (!isBytes(blob)) throw invalidArgument("a key service wraps into a Uint8Array");
  if (byteLength(blob) > MAX_BLOB_BYTES) {
    throw invalidArgument(`a key service wraps into at most ${MAX_BLOB_BYTES} bytes`);
  }
  const nameEnd = writeRaw(name, 0);
  const referenceEnd = writeRaw(reference, nameEnd);
  const used = writeRaw(blob, referenceEnd);
  return made(WasmNewKek.external(handleOf(key), nameEnd, referenceEnd, used));
}

function nameOf(provider: unknown): string {
  if (typeof provider !== "object" || provider === null) {
    throw invalidArgument("a key service is an object with name, wrap and unwrap");
  }
  const { name, wrap, unwrap } = provider as Partial<Record<keyof KekProvider, unknown>>;
  if (typeof wrap !== "function" || typeof unwrap !== "function") {
    throw invalidArgument("a key service has the methods wrap and unwrap");
  }
  return textOf(name, "the name of a key service");
}

function randomBytes(): Bytes {
  try {
    return crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  } catch {
    throw new ResealError(
      "random-unavailable",
      "crypto.getRandomValues is missing or failed, and nothing weaker is used: run this in Node 20 or newer or in a current browser, and look for what removed or replaced it",
    );
  }
}
