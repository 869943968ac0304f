// The ring of a codec: it is asked before each call, since that may run code of the caller, and what
// it says waits in the module.
import type { WasmSlot } from "../pkg/reseal_wasm.js";
import { lacksKey, type Rings } from "./rings.js";
import { ResealError } from "./errors.js";
import { succeeded } from "./memory.js";
import { writeRaw } from "./parts.js";

type Held = ReturnType<Rings["held"]>;

/**
 * Where a codec of envelopes holds its ring, and where its rings come from. It belongs to the codec
 * and its columns alike, and holds no key: the collector frees it after the last of them.
 */
export class RingSlot {
  readonly #slot: WasmSlot;
  readonly #rings: Rings;
  #held: Held;
  #openError: ResealError | undefined;
  #sealError: ResealError | undefined;
  #isRefused = false;

  constructor(slot: WasmSlot, rings: Rings) {
    this.#slot = slot;
    this.#rings = rings;
  }

  /** Whether the ring is always the same. */
  get isFixed(): boolean {
    return this.#rings.isFixed;
  }

  /** Asks for a ring to open with, and whether it may seal; what is wrong is kept. */
  ask(willSeal: boolean): void {
    this.#openError = caught(() => this.#rings.toOpen());
    this.#sealError =
      willSeal && this.#openError === undefined
        ? caught(() => this.#rings.checkLease(() => false))
        : undefined;
  }

  /** Asks for a ring to seal with, and throws what is wrong. */
  askToSeal(): void {
    this.#rings.toSeal();
    this.#openError = this.#sealError = undefined;
  }

  /** Asks for a newer ring than the one that was used. */
  renew(): boolean {
    if (this.#held === undefined || this.isFixed) return false;
    return this.#rings.newer(this.#held) !== undefined;
  }

  /** Brings to the module what the ring said. Runs no user code. */
  settle(): void {
    const ring = this.#rings.held();
    if (ring !== undefined && (ring !== this.#held || this.#isRefused)) {
      this.#slot.hold(ring);
      this.#isRefused = false;
    }
    this.#held = ring;
    this.#refuse(this.#openError, false);
    this.#refuse(this.#sealError, true);
  }

  #refuse(error: ResealError | undefined, isSeal: boolean): void {
    if (error === undefined) return;
    const used = writeRaw(`${error.code}\n${error.message}`, 0);
    succeeded(this.#slot.refuse(used, isSeal));
    this.#isRefused = true;
  }
}

/**
 * What `work` gives for each value, with the rings of now; once more where a ring lacks a key and
 * its source has a newer one.
 */
export function withRings<T>(
  slots: readonly RingSlot[],
  willSeal: boolean,
  work: () => (T | ResealError)[],
): (T | ResealError)[] {
  for (const slot of slots) slot.ask(willSeal);
  for (const slot of slots) slot.settle();
  const results = work();
  if (slots.every(({ isFixed }) => isFixed) || !results.some(lacksKey)) return results;
  const renewed = slots.filter((slot) => slot.renew());
  if (renewed.length === 0) return results;
  for (const slot of slots) slot.settle();
  return work();
}

/** The error that a call throws, if it is one of this package. */
function caught(call: () => unknown): ResealError | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (error instanceof ResealError) return error;
    throw error;
  }
}
