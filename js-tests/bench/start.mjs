// How long a program takes from its first import to its first sealed value, each time in a Node of its
// own, the packages in turns. Prints the medians, and how many times the first peer's they are.
//   node js-tests/bench/start.mjs [ROUNDS]
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const ROUNDS = Number(process.argv[2] ?? 21);
const HERE = fileURLToPath(new URL(".", import.meta.url));

const RESEAL = `
const ring = new Keyring({ primary: Key.generate() });
const sealed = ring.seal("078-05-1120", { table: "users", column: "ssn", row: 42 });`;
/** What each does until a value is sealed; all bind the same facts. */
const PROGRAMS = {
  "libsodium-wrappers": `
const { default: sodium } = await import("libsodium-wrappers");
await sodium.ready;
const key = sodium.crypto_aead_xchacha20poly1305_ietf_keygen();
const nonce = sodium.randombytes_buf(sodium.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
const sealed = sodium.to_base64(
  sodium.crypto_aead_xchacha20poly1305_ietf_encrypt("078-05-1120", "users ssn 42", null, nonce, key));`,
  "wasm-themis": `
const { initialized, SecureCellSeal, SymmetricKey } = await import("wasm-themis");
await initialized;
const cell = SecureCellSeal.withKey(new SymmetricKey());
const bytes = (text) => new TextEncoder().encode(text);
const sealed = Buffer.from(cell.encrypt(bytes("078-05-1120"), bytes("users ssn 42"))).toString("base64");`,
  reseal: `const { Key, Keyring } = await import("reseal");${RESEAL}`,
  "reseal/slim": `const { Key, Keyring } = await import("reseal/slim");${RESEAL}`,
  "reseal/inline": `const { Key, Keyring } = await import("reseal/inline");${RESEAL}`,
  "reseal/slim/inline": `const { Key, Keyring } = await import("reseal/slim/inline");${RESEAL}`,
};

/** wasm-themis fetches a path, which the fetch of Node refuses; without one it reads the file. */
const FLAGS = { "wasm-themis": ["--no-experimental-fetch"] };

const times = Object.fromEntries(Object.keys(PROGRAMS).map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, program] of Object.entries(PROGRAMS)) times[name].push(start(name, program));
}
const [first] = Object.keys(PROGRAMS);
console.log(`from the first import to the first sealed value, median of ${ROUNDS}`);
for (const [name, taken] of Object.entries(times)) {
  const ratio = median(taken) / median(times[first]);
  console.log(`${name.padEnd(20)} ${median(taken).toFixed(1)} ms, ${ratio.toFixed(2)} of ${first}`);
}

/** Milliseconds. */
function start(name, program) {
  const timed = `const begun = performance.now();${program}
if (sealed.length < 20) throw new Error("nothing was sealed");
console.log(performance.now() - begun);`;
  const options = { cwd: HERE, encoding: "utf8" };
  const flags = [...(FLAGS[name] ?? []), "--input-type=module", "-e", timed];
  const shown = execFileSync(process.execPath, flags, options);
  return Number(shown);
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
}
