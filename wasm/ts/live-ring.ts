// A source, the ring that it gave last, and when to look again. User code runs where the clock is
// read, and nowhere else; it may use the ring, or dispose of it.
import { WasmElapsed, WasmPace, type WasmRing } from "../pkg/reseal_wasm.js";
import { invalidArgument, KeyringError, ResealError } from "./errors.js";
import { succeeded } from "./memory.js";
import { pauseOf } from "./numbers.js";
import { disposed, Rings, shownRing } from "./rings.js";
import type { Loaded, Source, SourceKind } from "./source.js";

/** How a live ring keeps time. */
export interface LiveOptions {
  /** After how many seconds a call looks at the source again; 10 by default. */
  readonly checkSeconds?: number | undefined;
  /** The pause in seconds after a failure, and between two looks for unknown keys; 1 by default. */
  readonly reloadSeconds?: number | undefined;
  /** Gives seconds that never go back, for tests. */
  readonly clock?: (() => number) | undefined;
}

/** How the source of a live ring was found when it was looked at last. */
export interface LiveStatus {
  /** What the ring follows: key texts in variables or files, a directory, or a keyset. */
  readonly kind: SourceKind;
  /** The generation of the keyset. */
  readonly generation: number | undefined;
  /** The ring id of the keyset. */
  readonly ringId: string | undefined;
  /** For how long the ring seals without its source; 0 for as long as it likes. */
  readonly leaseSeconds: number;
  /** How long ago the source was found in order; undefined if it never was. */
  readonly confirmedSecondsAgo: number | undefined;
  /** Whether the lease has run out and the last look failed, so that nothing is sealed. */
  readonly stale: boolean;
  /** What the last look met; undefined if all was well. */
  readonly lastError: ResealError | undefined;
}

/** What {@link LiveOptions} has. */
export const LIVE_NAMES = ["checkSeconds", "reloadSeconds", "clock"] as const;

const NEVER = -Infinity;

export class LiveRing extends Rings {
  readonly isFixed = false;
  readonly #source: Source;
  readonly #pace: WasmPace;
  readonly #clock: () => number;
  #ring: WasmRing | undefined;
  #error: ResealError | undefined;
  #facts: Omit<Loaded, "ring"> | undefined;
  #isLooking = false;
  #isDisposed = false;

  // Milliseconds. Between `#began` and one of the next two nothing is to be decided.
  #now = 0;
  #began = 0;
  #openUntil = NEVER;
  #sealUntil = NEVER;
  #dueAt = NEVER;
  #staleAt = Infinity;
  #confirmedAt: number | undefined;

  constructor(source: Source, options: LiveOptions) {
    super();
    const { checkSeconds = 10, reloadSeconds = 1, clock } = options;
    const checkMs = pauseOf(checkSeconds, "checkSeconds");
    this.#pace = new WasmPace(checkMs, pauseOf(reloadSeconds, "reloadSeconds"));
    this.#clock = clockOf(clock);
    this.#source = source;
  }

  toOpen(): WasmRing {
    const now = (this.#now = this.#clock());
    if (now < this.#openUntil && now >= this.#began) return this.#ring!;
    this.#lookIfDue();
    return this.#loaded();
  }

  toSeal(): WasmRing {
    const now = (this.#now = this.#clock());
    if (now < this.#sealUntil && now >= this.#began) return this.#ring!;
    this.#lookIfDue();
    const ring = this.#loaded();
    succeeded(this.#pace.checkLease(whole(this.#now)));
    return ring;
  }

  checkLease(isNeedless: () => boolean): void {
    if (this.#now < this.#staleAt || isNeedless()) return;
    succeeded(this.#pace.checkLease(whole(this.#now)));
  }

  newer(used: WasmRing): WasmRing | undefined {
    this.#now = this.#clock();
    const isOther = this.#ring !== used;
    if (!isOther && !this.#isLooking && this.#pace.mayReload(whole(this.#now))) this.#look();
    return this.#ring === used ? undefined : this.#ring;
  }

  held(): WasmRing | undefined {
    return this.#ring;
  }

  /** Looks at the source now, and throws what is wrong with it. */
  refresh(): void {
    this.checkUse();
    this.#now = this.#clock();
    this.#look();
    if (this.#error !== undefined) throw again(this.#error);
  }

  /** As {@link LiveRing.refresh}: files are read at once. */
  async refreshed(): Promise<void> {
    this.refresh();
  }

  status(): LiveStatus {
    this.checkUse();
    const now = Math.floor(this.#clock());
    const confirmedAt = this.#confirmedAt;
    return {
      kind: this.#source.kind,
      generation: this.#facts?.generation,
      ringId: this.#facts?.ringId,
      leaseSeconds: this.#facts?.leaseSeconds ?? 0,
      confirmedSecondsAgo:
        confirmedAt === undefined ? undefined : Math.max(now - confirmedAt, 0) / 1000,
      // An idle process looks first, and then seals.
      stale: this.#error !== undefined && now >= this.#staleAt,
      lastError: this.#error,
    };
  }

  checkUse(): void {
    if (this.#isDisposed) disposed();
  }

  shown(): string {
    return `Live${shownRing(this.#ring, this.#isDisposed ? "disposed" : "not loaded")}`;
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#ring?.free();
    this.#ring = undefined;
    this.#openUntil = this.#sealUntil = NEVER;
    this.#source.dispose();
  }

  #lookIfDue(): void {
    const now = this.#now;
    const knowsNothing = this.#ring === undefined && this.#error === undefined;
    const isDue = now >= this.#dueAt || now < this.#began || knowsNothing;
    if (isDue && !this.#isLooking) this.#look();
  }

  /** The ring, without user code between this and its use. */
  #loaded(): WasmRing {
    this.checkUse();
    if (this.#ring !== undefined) return this.#ring;
    if (this.#error !== undefined) throw again(this.#error);
    throw new KeyringError("source-unreadable", BUSY);
  }

  /** Reads the source. What is wrong with it is kept; anything else is thrown. */
  #look(): void {
    this.checkUse();
    const began = (this.#began = Math.floor(this.#now));
    this.#isLooking = true;
    this.#pace.begin(BigInt(began));
    try {
      this.#keep(this.#source.load(), began);
    } catch (error) {
      if (!(error instanceof ResealError)) throw error;
      this.#error = error;
    } finally {
      this.#end();
    }
  }

  #keep({ ring, ...facts }: Loaded, began: number): void {
    this.#pace.confirm(BigInt(began), facts.leaseSeconds);
    if (ring !== undefined) {
      this.#ring?.free();
      this.#ring = ring;
    }
    this.#facts = facts;
    this.#error = undefined;
    this.#confirmedAt = began;
  }

  #end(): void {
    try {
      this.#now = this.#clock();
    } finally {
      this.#isLooking = false;
      this.#pace.end(whole(this.#now));
      this.#dueAt = Number(this.#pace.dueAt());
      this.#staleAt = Number(this.#pace.staleAt());
      this.#openUntil = this.#ring === undefined ? NEVER : this.#dueAt;
      this.#sealUntil = Math.min(this.#openUntil, this.#staleAt);
    }
  }
}

const BUSY = "the ring is used by what is called while its keys are read for the first time";

/** Milliseconds of a clock that gives seconds; without one, of the clocks that there are. */
export function clockOf(clock: unknown): () => number {
  if (clock === undefined) return systemClock();
  if (typeof clock !== "function") throw invalidArgument("clock is a function that gives seconds");
  return () => {
    const seconds: unknown = clock();
    const ms = typeof seconds === "number" ? Math.round(seconds * 1e6) / 1e3 : NaN;
    if (ms >= 0 && ms <= Number.MAX_SAFE_INTEGER) return ms;
    throw invalidArgument("clock gives seconds, as performance.now() / 1000 does");
  };
}

/** `performance.now` alone stands still while the machine is asleep, which a lease does not. */
function systemClock(): () => number {
  const elapsed = new WasmElapsed(performance.now(), Date.now());
  return () => elapsed.at(performance.now(), Date.now());
}

export function whole(milliseconds: number): bigint {
  return BigInt(Math.floor(milliseconds));
}

/** The error of an earlier look, with the stack of this call. */
export function again(error: ResealError): ResealError {
  return new (error.constructor as typeof ResealError)(error.code, error.message);
}
