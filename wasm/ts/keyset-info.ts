// What a keyset shows: never a key.
import type { WasmDocument } from "../pkg/reseal_wasm.js";
import { ready } from "./engine.js";
import { parseDocument } from "./keyset-document.js";
import type { KeyState } from "./words.js";

/** A key of a keyset, as it may be shown. */
export interface KeysetKey {
  /** The key id. */
  readonly id: string;
  /** What the key is for. */
  readonly use: "data" | "index";
  /** What it may do at the moment. */
  readonly state: KeyState;
  /** When it came into the keyset, YYYY-MM-DDTHH:MM:SSZ. */
  readonly created: string;
  /** When its state changed last. */
  readonly changed: string;
  /** What people call it. */
  readonly label: string;
}

/** A key-encrypting key of a keyset, as it may be shown. */
export interface KekInfo {
  /** The key id. */
  readonly id: string;
  /** Where it comes from: `key` is a key text, `external` a key service. */
  readonly kind: "key" | "passphrase" | "external";
  /** The name of the key service; undefined for the other kinds. */
  readonly provider: string | undefined;
  /** Which key of the service; undefined for the other kinds. */
  readonly reference: string | undefined;
  /** Whether it was given, and the keyset is verified under it. */
  readonly held: boolean;
}

/** The report of the module. */
export interface KeysetFacts {
  readonly ringId: string;
  readonly generation: number;
  readonly issued: string;
  readonly leaseSeconds: number;
  readonly keks: KekInfo[];
  readonly keys: KeysetKey[];
}

/** What a keyset document says about itself. Nothing of it is verified. */
export class KeysetInspection {
  /** The id of the ring, 26 characters. */
  readonly ringId: string;
  /** How often the keyset was saved. */
  readonly generation: number;
  /** When it was saved last, YYYY-MM-DDTHH:MM:SSZ. */
  readonly issued: string;
  /** How many seconds a live ring may seal without looking again; 0 is for ever. */
  readonly leaseSeconds: number;
  /** The id of the data key that seals, if there is one. */
  readonly primaryId: string | undefined;
  /** The id of the index key whose terms are stored, if there is one. */
  readonly indexPrimaryId: string | undefined;
  readonly #facts: KeysetFacts;

  /** @internal */
  constructor(facts: KeysetFacts) {
    this.#facts = facts;
    this.ringId = facts.ringId;
    this.generation = facts.generation;
    this.issued = facts.issued;
    this.leaseSeconds = facts.leaseSeconds;
    this.primaryId = primaryOf(facts, "data");
    this.indexPrimaryId = primaryOf(facts, "index");
  }

  /** Every key, in the order in which they came. */
  keys(): KeysetKey[] {
    return this.#facts.keys.map((key) => ({ ...key }));
  }

  /** The key-encrypting keys, with where they come from. */
  keks(): KekInfo[] {
    return this.#facts.keks.map((kek) => ({ ...kek }));
  }

  /** All of it, for a log. */
  toJSON(): unknown {
    return { ...this, keks: this.keks(), keys: this.keys() };
  }
}

/**
 * What a keyset document says about itself, without any key-encrypting key. Nothing is verified:
 * whoever writes the document chooses what it shows.
 *
 * @throws `keyset-malformed`, `unsupported-version`, `invalid-argument`
 * @example
 * const text = Keyset.create({ kek: Key.generate("kek"), leaseSeconds: 60 }).save();
 * const shown = inspectKeyset(text);
 * if (shown.generation !== 1 || shown.leaseSeconds !== 60) throw new Error("never");
 */
export function inspectKeyset(document: string | Uint8Array): KeysetInspection {
  ready();
  const { parsed } = parseDocument(document);
  try {
    return new KeysetInspection(factsOf(parsed));
  } finally {
    parsed.free();
  }
}

export function factsOf(document: Pick<WasmDocument, "info">): KeysetFacts {
  return document.info() as KeysetFacts;
}

/** The id of the primary of a use. */
export function primaryOf({ keys }: KeysetFacts, use: "data" | "index"): string | undefined {
  return keys.find((key) => key.use === use && key.state === "primary")?.id;
}
