// Numbers of callers, as the module takes them.
import { invalidArgument } from "./errors.js";

/** A moment: a `Date`, or seconds since the beginning of 1970. */
export type Moment = Date | number;

const MAX_U32 = 0xffffffff;
/** Some thirty years. */
const MAX_SECONDS = 1e9;

/** Seconds since 1970; by default now. */
export function unixTime(now: unknown): bigint {
  const seconds = now === undefined ? Date.now() / 1000 : secondsOf(now);
  const whole = Math.floor(seconds);
  if (Number.isSafeInteger(whole) && whole >= 0) return BigInt(whole);
  throw invalidArgument("now is a Date, or seconds since the beginning of 1970");
}

export function generationOf(generation: unknown = 0): bigint {
  if (Number.isSafeInteger(generation) && (generation as number) >= 0) {
    return BigInt(generation as number);
  }
  throw invalidArgument("minGeneration is a whole number, from 0");
}

export function leaseOf(seconds: unknown = 0): number {
  if (Number.isInteger(seconds) && (seconds as number) >= 0) {
    return Math.min(seconds as number, MAX_U32);
  }
  throw invalidArgument("leaseSeconds is a whole number of seconds; 0 is no lease");
}

/** A pause of a live ring, in milliseconds. */
export function pauseOf(seconds: unknown, name: string): bigint {
  if (typeof seconds === "number" && seconds >= 0 && seconds <= MAX_SECONDS) {
    return BigInt(Math.round(seconds * 1000));
  }
  throw invalidArgument(`${name} is a number of seconds, from 0`);
}

function secondsOf(now: unknown): number {
  if (typeof now === "number") return now;
  try {
    return Date.prototype.getTime.call(now) / 1000;
  } catch {
    return Number.NaN;
  }
}
