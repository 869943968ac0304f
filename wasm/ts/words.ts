// The words of the public face, and checks of options.
import { invalidArgument, type ResealError } from "./errors.js";

/**
 * How a value is sealed. `random`: a fresh nonce for every value. `deterministic`: one envelope for
 * one value, so that equality search and UNIQUE work, and whoever reads the column sees which
 * values are equal. `padded`: random, with the length hidden up to a bucket.
 */
export type Mode = "random" | "deterministic" | "padded";

/** What a key is for: sealing values, or making blind-index terms. `kek` wraps other keys. */
export type KeyUse = "data" | "index" | "kek";

/** What a key of a ring may do at the moment. */
export type KeyState = "introduced" | "primary" | "decrypt_only" | "disabled" | "destroyed";

/** What counts as equal in a blind index. */
export type Normalizer = "raw" | "ascii-lower-trim" | "digits";

/** A mode, as the module knows it. */
export type ModeNumber = 0 | 1 | 2;

/** The number that the module has for a mode. */
export function modeNumber(mode: unknown): ModeNumber {
  switch (mode) {
    case "random":
      return 0;
    case "deterministic":
      return 1;
    case "padded":
      return 2;
    default:
      throw invalidArgument("a mode is one of random, deterministic and padded");
  }
}

/** The number of a mode that a value is brought to; none where it keeps its own. */
export function otherMode(mode: unknown): ModeNumber | undefined {
  return mode === undefined ? undefined : modeNumber(mode);
}

/** Refuses options that are no object or have a name that nothing reads. */
export function checkOptions(options: unknown, names: readonly string[]): void {
  if (typeof options !== "object" || options === null || isArray(options)) {
    throw invalidArgument(`options are an object with ${names.join(", ")}`);
  }
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) {
      throw invalidArgument(`unknown option ${name}: there are ${names.join(", ")}`);
    }
  }
}

/**
 * The error of what is no object of a class of this package. One of another copy has the same name: what
 * `import` gives, what `require` gives, and each entry have classes of their own.
 */
export function foreign(value: unknown, name: string, message: string): ResealError {
  let isNamesake = false;
  try {
    isNamesake = (value as object).constructor.name === name;
  } catch {
    // What has no constructor, or one that throws, is no object of ours.
  }
  return invalidArgument(
    isNamesake
      ? `this ${name} is of another copy of the package: import and require, and each entry, have their own`
      : message,
  );
}

/** The error of a proxy of an object of this package, which lacks what is private to the object. */
export function proxied(name: string): ResealError {
  return invalidArgument(
    `a proxy of a ${name} is none: give the ${name} itself, which markRaw() keeps in Vue`,
  );
}

/** A flag of options: off where it is not given. */
export function flagOf(flag: unknown, name: string): boolean {
  if (flag === undefined || typeof flag === "boolean") return flag ?? false;
  throw invalidArgument(`${name} is true or false`);
}

/** Whether this is an array; a proxy that was revoked is nothing any more. */
export function isArray(list: unknown): list is unknown[] {
  try {
    return Array.isArray(list);
  } catch {
    return false;
  }
}

/** One of a few words; the first where nothing is given. */
export function wordOf<W extends string>(word: unknown, name: string, words: readonly W[]): W {
  if (word === undefined) return words[0]!;
  const found = words.find((known) => known === word);
  if (found !== undefined) return found;
  throw invalidArgument(`${name} is one of ${words.join(", ")}`);
}

/** A list, read once. */
export function listOf(list: unknown, name: string): unknown[] {
  if (!isArray(list)) throw invalidArgument(`${name} is an array`);
  return Array.from(list);
}
