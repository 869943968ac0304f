// A rotation in small: a real keyset with a clock of its own, rows, and processes that lag behind.
import { Key, Keyset, ResealError } from "../reseal/browser.mjs";

/** @import { Keyring } from "../reseal/browser.mjs" */

const LEASE_SECONDS = 3600;
const BEGIN = Date.UTC(2027, 0, 4, 9) / 1000;
const VALUES = ["ann@example.com", "bob@example.com", "cem@example.com", "dora@example.com"];
/** @param {number} row */
const contextOf = (row) => ({ table: "users", column: "email", row });

/** @typedef {"before" | "introduce" | "promote" | "reseal" | "retire"} Step */

/**
 * The steps, in their order.
 *
 * @type {readonly Step[]}
 */
export const STEPS = ["before", "introduce", "promote", "reseal", "retire"];

export class Fleet {
  #keyset;
  #old;
  /** @type {string | undefined} */
  #fresh;
  /**
   * The rings that there were, one for each version of the keyset.
   *
   * @type {Keyring[]}
   */
  #rings = [];
  #now = BEGIN;
  /** @type {Step} */
  step = "before";

  /** @type {Readonly<Record<Exclude<Step, "before">, () => void>>} */
  #take = {
    introduce: () => {
      this.#fresh = this.#keyset.introduce("data", { label: "2027", now: this.#now });
      this.#save();
    },
    promote: () => {
      this.#now += LEASE_SECONDS;
      this.promote();
      this.#save();
    },
    reseal: () => {
      const ring = this.#ring();
      this.#now += 600;
      for (const row of this.rows) row.stored = ring.reseal(row.stored, contextOf(row.row));
    },
    retire: () => {
      this.#now += LEASE_SECONDS;
      this.#keyset.disable(this.#old, { now: this.#now });
      this.#save();
    },
  };

  constructor() {
    const kek = Key.generate("kek");
    this.#keyset = Keyset.create({ kek, leaseSeconds: LEASE_SECONDS, now: this.#now });
    kek.dispose();
    this.#old = this.#keyset.rotate("data", { label: "2026", now: this.#now });
    this.#save();
    const ring = this.#ring();
    this.rows = VALUES.map((value, at) => {
      return { row: at + 1, value, stored: ring.seal(value, contextOf(at + 1)) };
    });
  }

  /** The place of the step. */
  get at() {
    return STEPS.indexOf(this.step);
  }

  /** What the keyset shows of its keys. */
  keys() {
    return this.#keyset.keys();
  }

  /** @param {string} stored */
  isCurrent(stored) {
    return this.#ring().isCurrent(stored);
  }

  /** Takes the next step. */
  next() {
    const step = STEPS[this.at + 1];
    if (step === undefined || step === "before") return;
    this.#take[step]();
    this.step = step;
  }

  /** Promotes the introduced key at once, which a keyset refuses before its lease has passed. */
  promote() {
    if (this.#fresh === undefined) throw new TypeError("no key was introduced");
    this.#keyset.promote(this.#fresh, { now: this.#now });
  }

  /**
   * What a process that is some versions behind meets, tried with the real rings.
   *
   * @param {number} behind
   */
  process(behind) {
    const [ring, follower] = [this.#ring(behind), this.#ring()];
    const [context, value] = [contextOf(99), "new@example.com"];
    return {
      rows: outcome(() =>
        this.rows.forEach(({ row, stored }) => ring.open(stored, contextOf(row))),
      ),
      reads: outcome(() => ring.open(follower.seal(value, context), context)),
      isRead: outcome(() => follower.open(ring.seal(value, context), context)),
    };
  }

  /** How many versions of the keyset there were. */
  get versions() {
    return this.#rings.length;
  }

  /** Wipes all keys. */
  dispose() {
    for (const ring of this.#rings) ring.dispose();
    this.#keyset.dispose();
  }

  /** The ring of a process that is some versions behind. */
  #ring(behind = 0) {
    const ring = this.#rings.at(-1 - behind);
    if (ring === undefined) throw new RangeError("there were fewer versions");
    return ring;
  }

  #save() {
    this.#keyset.saved(this.#keyset.save({ now: this.#now }));
    this.#rings.push(this.#keyset.keyring());
  }
}

/**
 * Undefined where it went well, the code where it was refused.
 *
 * @param {() => void} attempt
 */
function outcome(attempt) {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (error instanceof ResealError) return error.code;
    throw error;
  }
}
