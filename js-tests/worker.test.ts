// Threads: each has a module of its own.
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { Key, Keyring, toBinary } from "reseal";

interface Sealed {
  single: string[];
  many: string[];
  ring: string;
}

test("four threads seal, one opens, and no nonce is used twice", async () => {
  const key = Key.generate();
  const ring = new Keyring({ primary: key });
  const workers = [0, 1, 2, 3].map((thread) => sealed(thread, key.export()));
  const all = await Promise.all(workers);
  all.forEach(({ single, many, ring: shown }, thread) => {
    const expected = single.map((_, i) => `value ${i}`);
    expect(ring.openManyString(single, { thread })).toEqual(expected);
    expect(ring.openManyString(many, { thread })).toEqual(expected);
    expect(shown).toBe("undefined");
  });
  const stored = all.flatMap(({ single, many }) => [...single, ...many]);
  const nonces = stored.map((text) => Buffer.from(toBinary(text).subarray(26, 50)).toString("hex"));
  expect(new Set(nonces).size).toBe(stored.length);
});

function sealed(thread: number, key: string): Promise<Sealed> {
  const file = new URL("./fixtures/worker.mjs", import.meta.url);
  const worker = new Worker(file, { workerData: { thread, key, count: 2000 } });
  return new Promise((resolve, reject) => worker.on("message", resolve).on("error", reject));
}
