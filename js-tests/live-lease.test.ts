// The lease of a ring that follows a source: when it stops sealing, and when it looks before that.
import { expect, test, vi } from "vitest";
import { KeyringError, toBinary } from "reseal";
import { away, back, clock, file, follow, live, useLive } from "./live-scene.js";
import { others, sealing } from "./live-steps.js";
import { LEASE, rotate } from "./live-support.js";
import { refuses } from "./support.js";

useLive();

test("the lease", () => {
  const [stored, padded] = [live.seal("x", {}), live.seal("x", {}, "padded")];
  const binary = toBinary(padded);
  away();
  clock.now += LEASE - 1;
  expect(live.seal("x", {})).toBeTruthy();
  clock.now += 1;
  expect(live.status().stale).toBe(true);
  for (const step of sealing(live)) {
    expect(refuses("ring-stale", step)).toBeInstanceOf(KeyringError);
  }
  for (const step of others(live, stored)) expect(step(), String(step)).toBeTruthy();
  refuses("ring-stale", () => live.reseal(padded, {}, "random"));
  refuses("ring-stale", () => live.resealBinary(binary, {}, "random"));
  refuses("ring-stale", () => live.field({}).reseal(padded));
  refuses("ring-stale", () => live.field({}).resealBinary(binary));
  back();
  clock.now += 1;
  for (const step of sealing(live)) expect(step()).toBeTruthy();
  expect(live.status().stale).toBe(false);
});

test("idle for longer than the lease", () => {
  for (const step of sealing(live)) {
    expect(step()).toBeTruthy();
    clock.now += 10 * LEASE;
  }
  expect(live.reseal(live.seal("x", {}, "padded"), {})).toBeTruthy();
});

test("an idle process is not stale", () => {
  expect(live.seal("x", {})).toBeTruthy();
  clock.now += 10 * LEASE;
  expect(live.status().stale).toBe(false); // it looks first, and then seals
  away();
  expect(live.status().stale).toBe(false); // this looks at nothing
  refuses("ring-stale", () => live.seal("x", {}));
  expect(live.status().stale).toBe(true);
  back();
  live.refresh();
  expect(live.status().stale).toBe(false);
});

test("a lease is renewed in time", () => {
  const slow = follow({ checkSeconds: 3600 });
  for (let i = 0; i < 10; i++) {
    expect(slow.seal("x", {})).toBeTruthy();
    clock.now += LEASE / 2;
    expect(slow.status().stale).toBe(false);
  }
});

test("a machine that was asleep looks before it seals", () => {
  let [awake, time] = [5000, 1_795_132_800_000];
  vi.spyOn(performance, "now").mockImplementation(() => awake);
  vi.spyOn(Date, "now").mockImplementation(() => time);
  try {
    const live = follow({ clock: undefined });
    const first = live.primaryId;
    const second = rotate(file);
    expect(live.primaryId).toBe(first);
    // `performance.now` stands still meanwhile.
    time += 8 * 3_600_000;
    expect(live.primaryId).toBe(second);
    away();
    time += LEASE * 1000;
    awake += 1;
    refuses("ring-stale", () => live.seal("x", {}));
    expect(live.status().confirmedSecondsAgo).toBe(LEASE);
    back();
    // A clock that is set back turns nothing back.
    time -= 3_600_000;
    awake += 10_000;
    live.seal("x", {});
    expect(live.status().confirmedSecondsAgo).toBe(0);
  } finally {
    vi.restoreAllMocks();
  }
});
