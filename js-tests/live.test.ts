// Rings that follow a source: when they look, and what they find there.
import { fork } from "node:child_process";
import type { EventEmitter } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { inspect, Key, Keyring, toBinary } from "reseal";
import { away, back, clock, file, follow, generation, live, useLive } from "./live-scene.js";
import { others, sealing } from "./live-steps.js";
import { kek, rotate } from "./live-support.js";
import { refuses } from "./support.js";

useLive();

test("it is a keyring", () => {
  expect(live).toBeInstanceOf(Keyring);
  expect(String(live)).toBe("LiveKeyring(not loaded)");
  for (const step of [...sealing(live), ...others(live, live.seal("x", {}))]) {
    expect(step(), String(step)).toBeTruthy();
  }
  expect(String(live)).toMatch(/^LiveKeyring\(/);
  expect(String(live)).toContain(live.primaryId);
});

test("it looks when it is used", () => {
  const first = live.primaryId;
  const second = rotate(file);
  expect(live.primaryId).toBe(first);
  clock.now += 9.9;
  expect(live.primaryId).toBe(first);
  clock.now += 0.1;
  expect(live.primaryId).toBe(second);
  expect(generation()).toBe(2);
});

test("nothing is read before the first use", () => {
  away();
  const unused = follow();
  unused.field({ table: "users" });
  expect(unused.status().lastError).toBeUndefined();
  back();
  expect(unused.primaryId).toBe(file.load().primaryId);
});

test("within checkSeconds nothing is read", () => {
  const stored = live.seal("x", {});
  away();
  clock.now += 9.9;
  for (const step of [...sealing(live), ...others(live, stored)]) expect(step()).toBeTruthy();
  expect(live.status().lastError).toBeUndefined();
});

test("fields follow too", () => {
  const field = live.field({ table: "users" }, "padded");
  const old = field.seal("x", { row: 1 });
  expect(field.isCurrent(old)).toBe(true);
  const second = rotate(file);
  clock.now += 10;
  expect(field.isCurrent(old)).toBe(false);
  expect(inspect(field.seal("x", { row: 1 })).keyId).toBe(second);
  expect(field.openString(old, { row: 1 })).toBe("x");
  expect(inspect(field.reseal(old, { row: 1 })).keyId).toBe(second);
});

test("refresh looks at once", () => {
  const [first, second] = [live.primaryId, rotate(file)];
  live.refresh();
  expect(live.primaryId).toBe(second);
  expect(first).not.toBe(second);
  away();
  for (let i = 0; i < 2; i++) refuses("source-unreadable", () => live.refresh());
  expect(live.status().lastError?.code).toBe("source-unreadable");
  expect(live.primaryId).toBe(second);
  back();
  live.refresh();
  expect(live.status().lastError).toBeUndefined();
});

test("an unknown key is looked for once a second", () => {
  live.seal("x", {});
  clock.now += 1;
  rotate(file);
  const fresh = file.load().keyring().seal("x", {});
  const stranger = new Keyring({ primary: Key.generate() }).seal("x", {});
  expect(live.openString(fresh, {})).toBe("x");
  expect(generation()).toBe(2);
  rotate(file);
  refuses("unknown-key", () => live.open(stranger, {}));
  expect(generation()).toBe(2);
  clock.now += 1;
  refuses("unknown-key", () => live.open(stranger, {}));
  expect(generation()).toBe(3);
});

test("every way to open looks for an unknown key", () => {
  const ways: ((fresh: string, padded: string, old: string, canary: string) => unknown)[] = [
    (fresh) => live.open(fresh, {}),
    (fresh) => live.openString(fresh, {}) === "x",
    (fresh) => live.openBinary(toBinary(fresh), {}),
    (fresh, _, old) => live.openMany([old, fresh, old], {}).every((x) => x instanceof Uint8Array),
    (fresh, _, old) => live.openManyString([old, fresh], [{}, {}]).join() === "x,x",
    (fresh) => live.openManyBinary([toBinary(fresh)], {})[0] instanceof Uint8Array,
    (_, padded) => live.isCurrent(live.reseal(padded, {})),
    (_, padded) => live.isCurrentBinary(live.resealBinary(toBinary(padded), {})),
    (fresh) => live.field({}).open(fresh),
    (fresh) => live.field({}).openString(fresh) === "x",
    (fresh) => live.field({}).openBinary(toBinary(fresh)),
    (fresh) => live.field({}).openManyString([fresh])[0] === "x",
    (_, padded) => live.field({}).openString(live.field({}).reseal(padded)) === "x",
    (_, padded) => live.field({}).openBinary(live.field({}).resealBinary(toBinary(padded))),
    (fresh) => live.field({}).openString(fresh, {}) === "x",
    (_, __, ___, canary) => live.check(canary) === "ok",
  ];
  for (const way of ways) {
    const old = live.seal("x", {});
    rotate(file);
    const ring = file.load().keyring();
    clock.now += 1;
    const before = generation();
    const result = way(ring.seal("x", {}), ring.seal("x", {}, "padded"), old, ring.canary());
    expect(result, String(way)).toBeTruthy();
    expect(generation()).toBe(before! + 1);
  }
});

test("a key that is disabled while it runs", () => {
  const [stored, first] = [live.seal("x", {}), live.primaryId!];
  rotate(file);
  file.edit((keyset) => keyset.disable(first));
  clock.now += 10;
  refuses("key-disabled", () => live.open(stored, {}));
});

const follower = new URL("./fixtures/follower.mjs", import.meta.url);

test("processes and threads each follow by themselves", async () => {
  const child = fork(follower);
  const worker = new Worker(follower);
  const ask = {
    child: (stored: string) => asked(child, () => child.send(question(stored))),
    worker: (stored: string) => asked(worker, () => worker.postMessage(question(stored))),
  };
  const question = (stored: string) => ({ path: file.path, kek: kek.export(), stored });
  const own = follow({ reloadSeconds: 0 });
  try {
    for (let round = 0; round < 3; round++) {
      own.refresh();
      const stored = own.seal("x", {});
      for (const member of [ask.child, ask.worker]) {
        const answer = await member(stored);
        expect(answer).toMatchObject({ opened: "x", primaryId: file.load().primaryId });
        expect(own.openString(answer.sealed, {})).toBe("y");
      }
      rotate(file);
    }
  } finally {
    child.kill();
    await worker.terminate();
  }
});

interface Answer {
  readonly opened: string;
  readonly primaryId: string;
  readonly sealed: string;
}

function asked(member: EventEmitter, ask: () => unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    member.once("message", resolve);
    member.once("error", reject);
    member.once("exit", () => reject(new Error("it ended")));
    ask();
  });
}
