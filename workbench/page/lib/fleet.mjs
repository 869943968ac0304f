// A rotation in small: a real keyset with a clock of its own, rows, and processes that lag behind.
import { Key, Keyset, ResealError } from "../reseal/browser.mjs";

const LEASE_SECONDS = 3600;
const BEGIN = Date.UTC(2027, 0, 4, 9) / 1000;
const VALUES = ["ann@example.com", "bob@example.com", "cem@example.com", "dora@example.com"];
const contextOf = (row) => ({ table: "users", column: "email", row });

/** The steps, in their order. */
export const STEPS = ["before", "introduce", "promote", "reseal", "retire"];

export class Fleet {
  #keyset;
  #old;
  #fresh;
  /** The rings that there were, one for each version of the keyset. */
  #rings = [];
  #now = BEGIN;
  at = 0;

  #take = {
    introduce: () => {
      this.#fresh = this.#keyset.introduce("data", { label: "2027", now: this.#now });
      this.#save();
    },
    promote: () => {
      this.#now += LEASE_SECONDS;
      this.#keyset.promote(this.#fresh, { now: this.#now });
      this.#save();
    },
    reseal: () => {
      const ring = this.#rings.at(-1);
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
    const ring = this.#rings[0];
    this.rows = VALUES.map((value, at) => {
      return { row: at + 1, value, stored: ring.seal(value, contextOf(at + 1)) };
    });
  }

  get step() {
    return STEPS[this.at];
  }

  /** What the keyset shows of its keys. */
  keys() {
    return this.#keyset.keys();
  }

  isCurrent(stored) {
    return this.#rings.at(-1).isCurrent(stored);
  }

  /** Takes the next step. */
  next() {
    const step = STEPS[this.at + 1];
    if (step === undefined) return;
    this.#take[step]();
    this.at += 1;
  }

  /** Promotes the introduced key at once, which a keyset with a lease refuses. */
  promoteEarly() {
    this.#keyset.promote(this.#fresh, { now: this.#now });
  }

  /** What a process that is some versions behind meets, tried with the real rings. */
  process(behind) {
    const ring = this.#rings.at(-1 - behind) ?? this.#rings[0];
    const follower = this.#rings.at(-1);
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

  #save() {
    this.#keyset.saved(this.#keyset.save({ now: this.#now }));
    this.#rings.push(this.#keyset.keyring());
  }
}

/** Undefined where it went well, the code where it was refused. */
function outcome(attempt) {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (error instanceof ResealError) return error.code;
    throw error;
  }
}
