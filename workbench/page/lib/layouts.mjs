// Which bytes of a value are what: the layouts that show without a key. Specification: envelope.md,
// section 2.
import { plural } from "./dom.mjs";

/** @import { Inspection } from "../reseal/browser.mjs" */
/** @typedef {{ name: string, from: number, bytes: Uint8Array, note: string }} Range */

const MODES = {
  random: "r, random",
  deterministic: "d, deterministic",
  padded: "p, random with padding",
};

/**
 * The ranges of an RS1 envelope in binary form.
 *
 * @param {Uint8Array} bytes
 * @param {Inspection} shown
 */
export function rs1Layout(bytes, { keyId, mode }) {
  const tag = bytes.length - 16;
  const nonce =
    mode === "deterministic" ? "computed from the value, so that equal values are equal" : "random";
  const length = mode === "padded" ? "The value and its padding" : "As long as the value itself";
  return cut(bytes, [
    ["magic", 4, "Marks an envelope of Reseal; it begins no UTF-8 text. rs1 in the text form."],
    ["version", 1, "The version, which fixes the algorithm: XAES-256-GCM in version 1."],
    ["key id", 20, `A fingerprint of the key that sealed it, in base32: ${keyId}`],
    ["mode", 1, `How it was sealed: ${MODES[mode]}.`],
    ["salt", 12, `First half of the nonce, ${nonce}: makes a key for this value.`],
    ["iv", 12, "Second half of the nonce: the starting point of AES-GCM under that key."],
    ["ciphertext", tag - 50, `${length}, encrypted.`],
    ["tag", 16, "Proves that nothing was changed: not the value, the key id, the mode, or the context, which is not stored."], // prettier-ignore
  ]);
}

/**
 * The ranges of a Fernet token; undefined where it is cut.
 *
 * @param {Uint8Array} bytes
 */
export function fernetLayout(bytes) {
  if (bytes.length < 73 || bytes[0] !== 0x80) return undefined;
  const seconds = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(1));
  const time = new Date(seconds * 1000);
  const when = Number.isNaN(time.getTime())
    ? "out of range"
    : `${time.toISOString().slice(0, -5)}Z`;
  return cut(bytes, [
    ["version", 1, "Always 80."],
    ["time", 8, `When it was made, which everybody can read: ${when}.`],
    ["iv", 16, "The starting point of AES-128-CBC, random."],
    ["ciphertext", bytes.length - 57, "The value, padded to blocks of 16 bytes, encrypted."],
    ["hmac", 32, "HMAC-SHA-256: proves that nothing was changed. Row and column are not bound."],
  ]);
}

/**
 * The ranges of what OpenSSL's password encryption writes, as n8n has it.
 *
 * @param {Uint8Array} bytes
 */
export function saltedLayout(bytes) {
  if (bytes.length < 32) return undefined;
  return cut(bytes, [
    ["mark", 8, "The word Salted__, as OpenSSL writes it."],
    ["salt", 8, "Makes key and iv of the instance key."],
    ["ciphertext", bytes.length - 16, "The value, padded to blocks of 16 bytes, encrypted with AES-256-CBC. Nothing proves that it was not changed."], // prettier-ignore
  ]);
}

/**
 * @param {Uint8Array} bytes
 * @param {readonly [name: string, length: number, note: string][]} fields
 */
function cut(bytes, fields) {
  let from = 0;
  const ranges = fields.map(([name, length, note]) => {
    const range = { name, from, bytes: bytes.subarray(from, from + length), note };
    from += length;
    return range;
  });
  // An empty value has no ciphertext.
  return ranges.filter((range) => range.bytes.length > 0);
}

/**
 * Where a range stands, for people.
 *
 * @param {Range} range
 */
export function placeOf({ from, bytes }) {
  return bytes.length === 1 ? `byte ${from}` : `bytes ${from} to ${from + bytes.length - 1}`;
}

/** @param {Range} range */
export const sizeOf = ({ bytes }) => plural(bytes.length, "byte");
