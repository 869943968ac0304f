// All that a ring does: what seals, and what goes on when it may not.
import { codecs, Column, toBinary, type Keyring } from "reseal";

type Steps = (() => unknown)[];

const options = { index: "i" };

/** What needs the lease. */
export function sealing(ring: Keyring): Steps {
  const field = ring.field({ row: 1 });
  return [
    () => ring.seal("x", {}),
    () => ring.seal("x", {}, "deterministic"),
    () => ring.sealBinary("x", {}),
    () => ring.sealMany(["x"], {}),
    () => ring.sealManyBinary(["x"], {}),
    () => ring.canary(),
    () => field.seal("x"),
    () => field.sealBinary("x"),
    () => field.sealMany(["x"]),
    () => field.sealManyBinary(["x"]),
    () => ring.indexTerm("x", {}, options),
    () => field.indexTerm("x", options),
    () => columnOver(ring).indexTerm("x", "i"),
  ];
}

/** A column that writes tokens, so that only its terms need the ring. */
function columnOver(ring: Keyring): Column {
  const write = codecs.fernet({ keys: ["cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="] });
  return new Column({ write, read: [codecs.reseal(ring)], indexes: [options] });
}

/** What goes on without a lease. `stored` is under the primary, in the empty context. */
export function others(ring: Keyring, stored: string): Steps {
  const [field, binary] = [ring.field({}), toBinary(stored)];
  return [
    () => ring.open(stored, {}),
    () => ring.openString(stored, {}) === "x",
    () => ring.openBinary(binary, {}),
    () => ring.openMany([stored], {})[0] instanceof Uint8Array,
    () => ring.openManyString([stored], {})[0] === "x",
    () => ring.openManyBinary([binary], {})[0] instanceof Uint8Array,
    () => ring.isCurrent(stored),
    () => ring.isCurrentBinary(binary),
    () => ring.reseal(stored, {}) === stored,
    () => ring.resealBinary(binary, {}) === binary,
    () => ring.lookupValues("x", {}),
    () => ring.lookupValuesBinary("x", {}),
    () => ring.indexTerms("x", {}, options),
    () => columnOver(ring).indexTerms("x", "i"),
    () => ring.keys(),
    () => ring.primaryId,
    () => ring.indexPrimaryId,
    () => field.open(stored),
    () => field.openString(stored) === "x",
    () => field.openBinary(binary),
    () => field.isCurrent(stored),
    () => field.isCurrentBinary(binary),
    () => field.reseal(stored) === stored,
    () => field.resealBinary(binary) === binary,
    () => field.openMany([stored])[0] instanceof Uint8Array,
    () => field.openManyString([stored])[0] === "x",
    () => field.openManyBinary([binary])[0] instanceof Uint8Array,
    () => field.lookupValues("x"),
    () => field.lookupValuesBinary("x"),
    () => field.indexTerms("x", options),
    () => ring.check(stored) === "auth-failed",
  ];
}
