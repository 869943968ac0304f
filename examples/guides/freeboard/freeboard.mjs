// What Freeboard does with a secret, over node:crypto: for fill.mjs and check.mjs.
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

const ALGORITHM = "aes-256-gcm";

/** The key of a variable of the environment. */
export function keyOf(name) {
  const key = Buffer.from((process.env[name] ?? "").trim(), "base64");
  if (key.length !== 32) throw new Error(`${name} has to be 32 bytes as base64`);
  return key;
}

export function encrypt(secret, key) {
  const iv = randomBytes(12);
  const cipher = createCipheriv(ALGORITHM, key, iv);
  const body = Buffer.concat([cipher.update(JSON.stringify(secret), "utf8"), cipher.final()]);
  const [ivText, ciphertext, authTag] = [iv, body, cipher.getAuthTag()].map(base64);
  return { algorithm: ALGORITHM, keyId: "v1", iv: ivText, ciphertext, authTag };
}

/** Whether Freeboard takes this for a secret. */
export function isEncrypted(stored) {
  return typeof stored === "object" && stored?.algorithm === ALGORITHM;
}

export function decrypt({ iv, ciphertext, authTag }, key) {
  const decipher = createDecipheriv(ALGORITHM, key, Buffer.from(iv, "base64"), {
    authTagLength: 16,
  });
  decipher.setAuthTag(Buffer.from(authTag, "base64"));
  const body = [decipher.update(Buffer.from(ciphertext, "base64")), decipher.final()];
  return JSON.parse(Buffer.concat(body).toString("utf8"));
}

const base64 = (bytes) => bytes.toString("base64");
