// How quick is it here? Reseal beside WebCrypto and @noble/ciphers, in turns, so that a busy machine
// disturbs all alike. All bind 66 bytes, draw their own nonce and give bytes. Nothing is asserted.
import { median, show } from "../bench/lib/rounds.mjs";

const AAD_BYTES = 66;
const NONCE_BYTES = 12;
const BATCH = 200;
/** Values of a batch are together no larger than this. */
const MAX_BATCH_BYTES = 2_000_000;
const MIN_MS = 0.001;
const PLANS = {
  short: { sizes: [16, 1024, 65_536], rounds: 3, roundMs: 10 },
  long: { sizes: [16, 64, 256, 1024, 4096, 65_536], rounds: 15, roundMs: 30 },
};
const context = { table: "users", column: "email", row: 42 };

/** One row of the table at a time: `size`, `call`, microseconds per value, and ratios to ours. */
export async function* runBench({ Key, Keyring }, gcm, length) {
  const plan = PLANS[length] ?? PLANS.short;
  const ring = new Keyring({ primary: Key.generate() });
  const peers = [await webCrypto(), noble(gcm)];
  for (const size of plan.sizes) {
    const value = random(size);
    const stored = ring.sealBinary(value, context);
    const count = Math.max(1, Math.min(BATCH, Math.floor(MAX_BATCH_BYTES / size)));
    const values = Array.from({ length: count }, () => random(size));
    const sealed = [];
    for (const { seal } of peers) sealed.push(await seal(value));
    const among = async (call, ours, theirs, each = 1) => {
      const ways = { reseal: ours };
      peers.forEach((peer, at) => (ways[peer.name] = theirs(peer, at)));
      return { size, call, ...(await measure(ways, plan, each)) };
    };
    yield among(
      "seal",
      () => ring.sealBinary(value, context),
      ({ seal }) =>
        () =>
          seal(value),
    );
    yield among("open", () => ring.openBinary(stored, context), ({ open }, at) => () => open(sealed[at])); // prettier-ignore
    const many =
      ({ seal }) =>
      async () =>
        Promise.all(values.map(seal));
    yield among(`seal ${count} at once`, () => ring.sealManyBinary(values, context), many, count);
  }
}

async function webCrypto() {
  const { subtle } = crypto;
  const key = await subtle.importKey("raw", random(32), "AES-GCM", false, ["encrypt", "decrypt"]);
  const aad = random(AAD_BYTES);
  const options = (iv) => ({ name: "AES-GCM", iv, additionalData: aad });
  return {
    name: "WebCrypto",
    seal: async (value) => {
      const iv = random(NONCE_BYTES);
      return joined(iv, new Uint8Array(await subtle.encrypt(options(iv), key, value)));
    },
    open: async (sealed) => {
      const iv = sealed.subarray(0, NONCE_BYTES);
      return new Uint8Array(await subtle.decrypt(options(iv), key, sealed.subarray(NONCE_BYTES)));
    },
  };
}

function noble(gcm) {
  const [key, aad] = [random(32), random(AAD_BYTES)];
  return {
    name: "@noble/ciphers",
    seal: (value) => {
      const iv = random(NONCE_BYTES);
      return joined(iv, gcm(key, iv, aad).encrypt(value));
    },
    open: (sealed) => {
      const iv = sealed.subarray(0, NONCE_BYTES);
      return gcm(key, iv, aad).decrypt(sealed.subarray(NONCE_BYTES));
    },
  };
}

/** As bench/lib/rounds.mjs, for ways of which some are awaited, and for clocks that are coarse. */
async function measure(ways, { rounds, roundMs }, each) {
  const tasks = [];
  for (const [name, run] of Object.entries(ways)) {
    let times = 1;
    // Twice: the first estimate comes from cold code.
    while ((await timed(run, times)) < roundMs || (await timed(run, times)) < roundMs) times *= 2;
    tasks.push({ name, run, times, micros: [] });
  }
  for (let round = 0; round < rounds; round++) {
    for (const task of round % 2 === 0 ? tasks : [...tasks].reverse()) {
      // A coarse clock on a busy machine may not have moved.
      const spent = Math.max(await timed(task.run, task.times), MIN_MS);
      task.micros.push((spent * 1000) / task.times / each);
    }
  }
  const [{ micros: ours }] = tasks;
  return {
    micros: Object.fromEntries(tasks.map(({ name, micros }) => [name, median(micros)])),
    ratios: Object.fromEntries(
      tasks.slice(1).map(({ name, micros }) => [name, median(micros.map((m, i) => ours[i] / m))]),
    ),
  };
}

/** What answers at once is not awaited: that would cost it a turn of the queue. */
async function timed(run, times) {
  const start = performance.now();
  for (let i = 0; i < times; i++) {
    const given = run();
    if (given instanceof Promise) await given;
  }
  return performance.now() - start;
}

/** A row as text: for the report in the terminal. */
export function benchLine({ size, call, micros, ratios }) {
  const ours = `${show(micros.reseal)} µs`;
  const theirs = Object.entries(ratios).map(([name, ratio]) => `${show(ratio)} of ${name}`);
  return `${size} bytes, ${call}: ${ours}; ${theirs.join(", ")}`;
}

function random(length) {
  return crypto.getRandomValues(new Uint8Array(length));
}

function joined(first, second) {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
