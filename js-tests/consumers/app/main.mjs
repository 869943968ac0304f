// What a user's program does, in every bundle and runtime: it opens what a release has sealed, and
// seals and opens by itself. The runners put the entry that they try in place of "reseal".
import { init, inspect, Key, Keyring, ResealError } from "reseal";
import frozen from "./frozen.mjs";

/** `env` is what the runtime calls its environment; says "all good". */
export async function main(env = { RESEAL_PRIMARY_KEY: frozen.keys.primary }) {
  await init();
  const ring = new Keyring(frozen.keys);
  for (const { stored, context, plaintext } of frozen.envelopes) {
    const pairs = Object.fromEntries(context.map(([name, value]) => [name, bytesOf(value)]));
    expect(hexOf(ring.open(stored, pairs)) === plaintext, "a sealed value of a release opens");
  }
  const fresh = new Keyring({ primary: Key.generate(), decryptOnly: [frozen.keys.primary] });
  const context = { table: "users", row: 42 };
  const stored = fresh.seal("hällo 🌍", context);
  expect(fresh.openString(stored, context) === "hällo 🌍", "a value opens");
  expect(inspect(stored).keyId === fresh.primaryId, "the key is told");
  expect(codeOf(() => fresh.open(stored, { ...context, row: 43 })) === "auth-failed", "context");
  expect(Keyring.fromEnv(env).primaryId === ring.primaryId, "the environment has the key");
  return "all good";
}

function codeOf(call) {
  try {
    call();
    return "none";
  } catch (error) {
    return error instanceof ResealError ? error.code : "another error";
  }
}

function expect(condition, what) {
  if (!condition) throw new Error(`not so: ${what}`);
}

function bytesOf(hex) {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => parseInt(hex.slice(2 * i, 2 * i + 2), 16)); // prettier-ignore
}

function hexOf(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
