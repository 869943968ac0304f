// A source that must be awaited, the ring that it gave last, and when to look again. A look is made
// beside the calls: whoever seals or opens meanwhile does it with the ring that is there.
import { WasmPace, type WasmRing } from "../pkg/reseal_wasm.js";
import { invalidArgument, KeyringError, ResealError } from "./errors.js";
import { Keyring, ringsOf } from "./keyring.js";
import type { Keyset } from "./keyset.js";
import { again, clockOf, whole, type LiveOptions, type LiveStatus } from "./live-ring.js";
import { succeeded } from "./memory.js";
import { pauseOf } from "./numbers.js";
import { disposed, Rings } from "./rings.js";
import { foreign } from "./words.js";

/** A place that holds a keyset and must be awaited, such as `SqlKeysetStore` of `reseal/sql`. */
export interface KeysetSource {
  /** The document as it is stored now. */
  read(): PromiseLike<string>;
  /** The keyset of a document, verified. */
  open(document: string): Keyset;
  /** Throws where it cannot be read at any time. */
  checkFollowed?(): void;
}

interface Facts {
  readonly ringId: string;
  readonly generation: number;
  readonly leaseSeconds: number;
}

/** A look that takes longer is given up, so that another one may come. */
const LONGEST_LOOK_MS = 30_000;
/** By then its timer had rung, if the runtime had not ended it with what began it, as Workers do. */
const CUT_OFF_MS = LONGEST_LOOK_MS + 5_000;
/** Reads that were given up may hold connections: with so many of them the source is asked rarely. */
const MOST_UNENDED = 2;
const RARELY_MS = 600_000;
/** Even a ring that looks all the time lets others run. */
const SHORTEST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2 ** 31 - 1;
const CLOCK = "the clock of the ring";
const NO_KEYSET = "open gives a Keyset, at once: what must be awaited belongs into read";

/** Made by {@link followed}. */
export class FollowedRing extends Rings {
  readonly isFixed = false;
  readonly #source: KeysetSource;
  readonly #pace: WasmPace;
  readonly #clock: () => number;
  #ring: Rings | undefined;
  #document: string | undefined;
  #facts: Facts | undefined;
  #error: ResealError | undefined;
  #confirmedAt: number | undefined;
  #isDisposed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The look that is under way, and the one that begins after it. */
  #look: Promise<void> | undefined;
  #limit: Limit | undefined;
  #next: Promise<void> | undefined;
  /** Reads that were given up and have not ended. */
  #unended = 0;

  // Milliseconds.
  #began = 0;
  #readAt = 0;
  #now = 0;

  constructor(source: KeysetSource, options: LiveOptions) {
    super();
    const { checkSeconds = 10, reloadSeconds = 1, clock } = options;
    const checkMs = pauseOf(checkSeconds, "checkSeconds");
    this.#pace = new WasmPace(checkMs, pauseOf(reloadSeconds, "reloadSeconds"));
    this.#clock = clockOf(clock);
    this.#source = source;
  }

  toOpen(): WasmRing {
    this.#lookIfDue();
    return this.#loaded();
  }

  toSeal(): WasmRing {
    this.#lookIfDue();
    const ring = this.#loaded();
    succeeded(this.#pace.checkLease(whole(this.#now)));
    return ring;
  }

  checkLease(isNeedless: () => boolean): void {
    if (this.#now < Number(this.#pace.staleAt()) || isNeedless()) return;
    succeeded(this.#pace.checkLease(whole(this.#now)));
  }

  /** A look cannot be waited for; it is begun, and the next call has what it finds. */
  newer(used: WasmRing): WasmRing | undefined {
    this.#now = this.#clock();
    const held = this.held();
    if (held !== used) return held;
    this.#leaveCutOff();
    if (this.#look === undefined && this.#pace.mayReload(whole(this.#now))) this.#begin();
    return undefined;
  }

  held(): WasmRing | undefined {
    return this.#ring?.held();
  }

  refresh(): never {
    throw invalidArgument("this ring looks at its source beside the calls: await refreshed()");
  }

  /** After a look that begins now; what is wrong with the source is thrown. */
  async refreshed(): Promise<void> {
    this.checkUse();
    this.#now = this.#clock();
    this.#leaveCutOff();
    this.#limit?.hold();
    await (this.#next ??= this.#after());
    if (this.#error !== undefined) throw again(this.#error);
  }

  status(): LiveStatus {
    this.checkUse();
    const now = Math.floor(this.#clock());
    const confirmedAt = this.#confirmedAt;
    return {
      kind: "keyset",
      generation: this.#facts?.generation,
      ringId: this.#facts?.ringId,
      leaseSeconds: this.#facts?.leaseSeconds ?? 0,
      confirmedSecondsAgo:
        confirmedAt === undefined ? undefined : Math.max(now - confirmedAt, 0) / 1000,
      stale: now >= Number(this.#pace.staleAt()),
      lastError: this.#error,
    };
  }

  checkUse(): void {
    if (this.#isDisposed) disposed();
  }

  shown(): string {
    if (this.#isDisposed || this.#ring === undefined) return "LiveKeyring(disposed)";
    return `Live${this.#ring.shown()}`;
  }

  dispose(): void {
    this.#isDisposed = true;
    clearTimeout(this.#timer);
    this.#limit?.stop();
    this.#ring?.dispose();
    this.#ring = undefined;
  }

  #loaded(): WasmRing {
    return this.#ring?.toOpen() ?? disposed();
  }

  #lookIfDue(): void {
    const now = (this.#now = this.#clock());
    const isDue = now >= Number(this.#pace.dueAt()) || now < this.#began;
    if (!isDue) return;
    this.#leaveCutOff();
    if (this.#look === undefined) this.#begin();
  }

  /** A look that neither ends nor is given up is waited for no longer, and changes nothing any more. */
  #leaveCutOff(): void {
    if (this.#look === undefined || this.#now - this.#began < CUT_OFF_MS) return;
    this.#limit?.stop();
    this.#limit = this.#look = this.#next = undefined;
  }

  /** A look that begins once the present one is over, whatever that one finds. */
  async #after(): Promise<void> {
    await this.#look;
    this.#next = undefined;
    this.checkUse();
    this.#now = this.#clock();
    // A call may have begun one in this moment.
    const look = this.#look ?? this.#begin();
    this.#limit?.hold();
    await look;
  }

  /** Never rejects: what is wrong is kept. */
  #begin(): Promise<void> {
    if (this.#isDisposed) return Promise.resolve();
    clearTimeout(this.#timer);
    this.#began = Math.floor(this.#now);
    this.#pace.begin(BigInt(this.#began));
    return (this.#look = this.#looked(this.#began));
  }

  async #looked(began: number): Promise<void> {
    const limit = (this.#limit = new Limit());
    const isLeft = () => this.#limit !== limit;
    try {
      const document = await this.#read(limit);
      // What was disposed has no document.
      if (!isLeft() && !this.#isDisposed) this.#keep(document!, began);
    } catch (error) {
      if (!isLeft()) this.#error = known(error, "the source of the keyset");
    }
    limit.clear();
    if (isLeft()) return;
    this.#limit = this.#look = undefined;
    this.#end();
  }

  /** A source that throws at once fails as one that rejects: a look is never over before it is noted. */
  async #read(limit: Limit): Promise<string | undefined> {
    if (this.#unended >= MOST_UNENDED && this.#now - this.#readAt < RARELY_MS) throw unanswered();
    this.#readAt = this.#now;
    const read = (async () => this.#source.read())();
    try {
      return await Promise.race([read, limit.ended]);
    } finally {
      if (limit.isOver) this.#countUntilEnd(read);
    }
  }

  #countUntilEnd(read: Promise<unknown>): void {
    this.#unended += 1;
    const ended = () => void (this.#unended -= 1);
    read.then(ended, ended);
  }

  #keep(document: string, began: number): void {
    const facts = document === this.#document ? this.#facts! : this.#opened(document);
    this.#pace.confirm(BigInt(began), facts.leaseSeconds);
    this.#document = document;
    this.#facts = facts;
    this.#error = undefined;
    this.#confirmedAt = began;
  }

  /** Takes the ring of a document into use, unless it is of another ring, or an older copy. */
  #opened(document: string): Facts {
    const keyset = this.#source.open(document);
    if (typeof keyset?.keyring !== "function") {
      // What a promise is rejected with is nobody's, and would end the process.
      Promise.resolve(keyset).catch(() => undefined);
      throw invalidArgument(NO_KEYSET);
    }
    try {
      const { ringId, generation, leaseSeconds } = keyset;
      checkNewer(this.#facts, { ringId, generation });
      const keyring: unknown = keyset.keyring();
      if (!(keyring instanceof Keyring)) throw foreign(keyset, "Keyset", NO_KEYSET);
      const ring = ringsOf(keyring);
      this.#ring?.dispose();
      this.#ring = ring;
      return { ringId, generation, leaseSeconds };
    } finally {
      keyset.dispose();
    }
  }

  #end(): void {
    try {
      this.#now = this.#clock();
    } catch (error) {
      this.#error = known(error, CLOCK);
    }
    if (this.#isDisposed) return;
    this.#pace.end(whole(this.#now));
    const pause = Number(this.#pace.dueAt()) - this.#now;
    const delay = Math.min(Math.max(pause, SHORTEST_PAUSE_MS), LONGEST_PAUSE_MS);
    this.#timer = setTimeout(() => this.#tick(), delay);
    (this.#timer as NodeTimer).unref?.();
  }

  #tick(): void {
    if (this.#look !== undefined) return;
    try {
      this.#lookIfDue();
    } catch (error) {
      this.#error = known(error, CLOCK);
    }
    // A clock of the caller's may be behind, or throw.
    if (this.#look === undefined) this.#end();
  }
}

/** A ring that has looked once. */
export async function followed(source: KeysetSource, options: LiveOptions): Promise<FollowedRing> {
  const ring = new FollowedRing(source, options);
  try {
    await ring.refreshed();
    return ring;
  } catch (error) {
    ring.dispose();
    throw error;
  }
}

function checkNewer(last: Facts | undefined, found: Omit<Facts, "leaseSeconds">): void {
  if (last === undefined) return;
  if (found.ringId !== last.ringId) {
    const what = `this is the keyset of the ring ${found.ringId}, and another one is expected`;
    throw new KeyringError("keyset-wrong-ring", `${what}: is it of another environment?`);
  }
  if (found.generation < last.generation) {
    const what = `this keyset has generation ${found.generation}, and ${last.generation} was seen before`;
    throw new KeyringError("keyset-outdated", `${what}: is it an old copy?`);
  }
}

/** Of Node; elsewhere a timer keeps nothing alive. */
type NodeTimer = { ref?: () => void; unref?: () => void };

/** What ends a look that takes too long, or that nobody needs any more. */
class Limit {
  readonly ended: Promise<undefined>;
  /** Whether the look took too long. */
  isOver = false;
  /** Ends the look. */
  readonly stop: () => void;
  readonly #timer: NodeTimer & ReturnType<typeof setTimeout>;

  constructor() {
    let [stop, fail] = [() => {}, () => {}];
    const late = new KeyringError("source-unreadable", "the keyset was not there in 30 seconds");
    this.ended = new Promise((resolve, reject) => {
      stop = () => resolve(undefined);
      fail = () => {
        this.isOver = true;
        reject(late);
      };
    });
    this.stop = stop;
    this.#timer = setTimeout(fail, LONGEST_LOOK_MS);
    this.#timer.unref?.();
  }

  /** Somebody awaits the look: the process goes on until it is over. */
  hold(): void {
    this.#timer.ref?.();
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}

function unanswered(): KeyringError {
  const what = "earlier looks at the keyset have had no answer";
  return new KeyringError("source-unreadable", `${what}: it is asked again once one of them ends`);
}

/** What a source or a clock of the caller's throws may hold a secret. */
function known(error: unknown, what: string): ResealError {
  if (error instanceof ResealError) return error;
  const name = error instanceof Error ? error.name : typeof error;
  return new KeyringError("source-unreadable", `${what} failed with ${name}`);
}
