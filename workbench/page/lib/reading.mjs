// What was pasted: text, or bytes in hexadecimal or base64.
import { codecs } from "../reseal/browser.mjs";
import { fromBase64, fromHex } from "./bytes.mjs";

/** What looks like a key text, also inside a line of a configuration. */
export const KEY_TEXT = /rsk1\./;

/** What a select offers: how to read what was pasted. */
export const FORMS = { auto: "", text: "text", hex: "hexadecimal", base64: "base64" };

/**
 * The stored value, and how it was read; undefined where it is not in the form that was asked.
 *
 * @param {string} pasted
 * @param {keyof typeof FORMS} form
 * @returns {{ stored: string | Uint8Array, as: string } | undefined}
 */
export function reading(pasted, form) {
  const text = pasted.trim();
  if (form === "text") return { stored: text, as: "text" };
  if (form === "hex") return asBytes(fromHex(text), "bytes in hexadecimal");
  if (form === "base64") return asBytes(fromBase64(text), "bytes in base64");
  if (isSure(text)) return { stored: text, as: "text" };
  // Any short word is hexadecimal or base64 of something: only a mark counts.
  const hex = asBytes(fromHex(text), "bytes in hexadecimal");
  if (hex !== undefined && isSure(hex.stored)) return hex;
  const base64 = asBytes(fromBase64(text), "bytes in base64");
  if (base64 !== undefined && isSure(base64.stored)) return base64;
  return { stored: text, as: "text" };
}

/**
 * @param {Uint8Array | undefined} stored
 * @param {string} as
 */
const asBytes = (stored, as) => (stored === undefined ? undefined : { stored, as });
/** @param {string | Uint8Array} stored */
const isSure = (stored) => codecs.recognize(stored)[0]?.certainty === "yes";
