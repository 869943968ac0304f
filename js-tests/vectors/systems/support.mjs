// What the runners of all systems need.
import { Report } from "../report.mjs";

/** Runs every case of a file by one function. */
export function runCases(file, check) {
  const report = new Report();
  for (const one of file.vectors) report.case(one.id, () => check(one));
  return report;
}

/** The code that a call is refused with; fails where it is not. */
export function codeOf({ ResealError }, call, what) {
  try {
    call();
  } catch (error) {
    if (error instanceof ResealError) return error.code;
    throw error;
  }
  throw new Error(`${what} passed, expected a refusal`);
}

/** Fails unless two values are equal, as JSON tells them. */
export function equal(got, expected, what) {
  const [one, other] = [got, expected].map((value) => JSON.stringify(value));
  if (one !== other) throw new Error(`${what} is not as in the file: ${one}, expected ${other}`);
}

export function toText(bytes) {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}

export function toBytes(text) {
  return new TextEncoder().encode(text);
}

export function fromBase64(text) {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

export function toBase64(bytes) {
  // Not as arguments of one call: workers have a small stack.
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** Bytes of a value with its encoding. */
export function decoded({ encoding, value }) {
  if (encoding === "utf8") return toBytes(value);
  if (encoding === "base64") return fromBase64(value);
  if (encoding === "json") return toBytes(JSON.stringify(value));
  throw new Error(`unknown encoding ${encoding}`);
}

/** What is sealed anew opens again, and is another value. */
export function opensAgain(codec, plaintext, options = {}) {
  const sealed = codec.seal(plaintext, options);
  const opened = codec.open(sealed, options.context);
  equal(toBase64(opened.plaintext), toBase64(plaintext), "what was sealed");
  equal(opened.current, true, "that it is current");
  return sealed;
}
