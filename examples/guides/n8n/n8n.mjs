// What n8n does with its values and keys, over node:crypto: for fill.mjs and check.mjs.
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";

/** The oldest format: AES-256-CBC, with key and IV from the bytes of a password. */
export function encryptCbc(text, password) {
  const salt = randomBytes(8);
  const [key, iv] = cbcKey(password, salt);
  const cipher = createCipheriv("aes-256-cbc", key, iv);
  const parts = [Buffer.from("Salted__"), salt, cipher.update(text, "utf8"), cipher.final()];
  return Buffer.concat(parts).toString("base64");
}

export function decryptCbc(stored, password) {
  const blob = Buffer.from(stored, "base64");
  const [key, iv] = cbcKey(password, blob.subarray(8, 16));
  const decipher = createDecipheriv("aes-256-cbc", key, iv);
  return Buffer.concat([decipher.update(blob.subarray(16)), decipher.final()]).toString("utf8");
}

/** A version, a salt from which key and IV come, the tag, and what is encrypted. */
export function encryptGcm(text, hexKey) {
  const salt = randomBytes(32);
  const cipher = createCipheriv("aes-256-gcm", ...gcmKey(hexKey, salt));
  const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([Buffer.of(1), salt, cipher.getAuthTag(), body]).toString("base64");
}

export function decryptGcm(stored, hexKey) {
  const blob = Buffer.from(stored, "base64");
  if (blob[0] !== 1 || blob.length < 49) throw new Error("this is no value of AES-256-GCM");
  const decipher = createDecipheriv("aes-256-gcm", ...gcmKey(hexKey, blob.subarray(1, 33)));
  decipher.setAuthTag(blob.subarray(33, 49));
  return Buffer.concat([decipher.update(blob.subarray(49)), decipher.final()]).toString("utf8");
}

/** A key in the table deployment_key is wrapped under the instance key. */
export const wrap = (text, instanceKey) => encryptGcm(text, wrapKey(instanceKey));
export const unwrap = (value, instanceKey) => decryptGcm(value, wrapKey(instanceKey));

const wrapKey = (instanceKey) => createHash("sha256").update(instanceKey, "utf8").digest("hex");

function cbcKey(password, salt) {
  const md5 = (...parts) => createHash("md5").update(Buffer.concat(parts)).digest();
  const bytes = Buffer.from(password, "binary");
  const first = md5(bytes, salt);
  const second = md5(first, bytes, salt);
  return [Buffer.concat([first, second]), md5(second, bytes, salt)];
}

function gcmKey(hexKey, salt) {
  const derived = hkdfSync("sha256", Buffer.from(hexKey, "hex"), salt, "n8n-encryption-v1", 44);
  return [Buffer.from(derived, 0, 32), Buffer.from(derived, 32, 12)];
}
