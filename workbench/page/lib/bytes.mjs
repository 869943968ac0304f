// Bytes as people paste them.

/** @param {number} byte */
export const hexOf = (byte) => byte.toString(16).padStart(2, "0");

/**
 * The bytes of hexadecimal, also as PostgreSQL and MySQL print it; undefined for anything else.
 *
 * @param {string} text
 */
export function fromHex(text) {
  const digits = text
    .replace(/^\s*(\\x|0x|x')/i, "")
    .replace(/'\s*$/, "")
    .replace(/[\s:]/g, "");
  if (digits === "" || digits.length % 2 === 1 || /[^0-9a-f]/i.test(digits)) return undefined;
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16)); // prettier-ignore
}

/**
 * The bytes of base64 in either alphabet, padded or not; undefined for anything else.
 *
 * @param {string} text
 */
export function fromBase64(text) {
  const plain = text.replace(/\s/g, "").replace(/-/g, "+").replace(/_/g, "/").replace(/=+$/, "");
  if (plain === "" || /[^A-Za-z0-9+/]/.test(plain) || plain.length % 4 === 1) return undefined;
  return Uint8Array.from(atob(plain), (char) => char.charCodeAt(0));
}
