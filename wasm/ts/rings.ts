// Where the ring of each call comes from: one that never changes, or one that follows a source.
import type { WasmRing } from "../pkg/reseal_wasm.js";
import { invalidArgument, ResealError } from "./errors.js";
import type { KeyInfo } from "./keyring.js";

/** The ring of an object that seals and opens. A ring that was asked for is used at once. */
export abstract class Rings {
  /** Whether this always gives the same ring. */
  abstract readonly isFixed: boolean;
  /** The ring to open with, and to ask for its keys. */
  abstract toOpen(): WasmRing;
  /** The ring to seal with: that of a source which confirmed it in time. */
  abstract toSeal(): WasmRing;
  /** That the ring which was asked for may seal, unless nothing is to be sealed. Runs no user code. */
  abstract checkLease(isNeedless: () => boolean): void;
  /** A newer ring than the one that lacks a key, if the source has one and may be looked at. */
  abstract newer(used: WasmRing): WasmRing | undefined;
  /** The ring that there is, without a look at any source; runs no user code. */
  abstract held(): WasmRing | undefined;
  /** Throws where this was disposed. */
  abstract checkUse(): void;
  /** Ids and states, without a look at any source. */
  abstract shown(): string;
  abstract dispose(): void;
}

export class FixedRing extends Rings {
  readonly isFixed = true;
  #ring: WasmRing | undefined;

  constructor(ring: WasmRing) {
    super();
    this.#ring = ring;
  }

  toOpen(): WasmRing {
    return this.#ring ?? disposed();
  }

  toSeal(): WasmRing {
    return this.#ring ?? disposed();
  }

  checkLease(): void {}

  held(): WasmRing | undefined {
    return this.#ring;
  }

  newer(): undefined {}

  checkUse(): void {
    this.toOpen();
  }

  shown(): string {
    return shownRing(this.#ring, "disposed");
  }

  dispose(): void {
    this.#ring?.free();
    this.#ring = undefined;
  }
}

/** What `open` gives; once more where the ring lacks the key, and its source has a newer ring. */
export function opened<T>(rings: Rings, open: (ring: WasmRing) => T): T {
  const ring = rings.toOpen();
  try {
    return open(ring);
  } catch (error) {
    const newer = lacksKey(error) ? rings.newer(ring) : undefined;
    if (newer === undefined) throw error;
    return open(newer);
  }
}

/** As {@link opened}, where results tell of the key that the ring lacks. */
export function openedAll<T>(
  rings: Rings,
  open: (ring: WasmRing) => T,
  lacksOne: (result: T) => boolean,
): T {
  const ring = rings.toOpen();
  const result = open(ring);
  if (rings.isFixed || !lacksOne(result)) return result;
  const newer = rings.newer(ring);
  return newer === undefined ? result : open(newer);
}

/** Whether this is the error of a value whose key the ring does not have. */
export function lacksKey(error: unknown): boolean {
  return error instanceof ResealError && error.code === "unknown-key";
}

/** Ids, uses and states. */
export function shownRing(ring: WasmRing | undefined, otherwise: string): string {
  const keys = ring?.keys() as KeyInfo[] | undefined;
  const shown = keys?.map(({ id, use, state }) => `${use ?? "key"} ${id} ${state}`);
  return `Keyring(${shown?.join(", ") ?? otherwise})`;
}

export function disposed(): never {
  throw invalidArgument("this keyring was disposed");
}
