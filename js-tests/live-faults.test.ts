// Sources that a ring cannot follow for a while: away, broken, outdated, of another ring, or slow.
import fs, { readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { expect, test } from "vitest";
import { Keyset, ResealError } from "reseal";
import { away, back, clock, file, live, useLive } from "./live-scene.js";
import { sealing } from "./live-steps.js";
import { kek, LEASE, rotate } from "./live-support.js";
import { refuses } from "./support.js";

useLive();

test("a source that vanishes and comes back", () => {
  const [stored, first] = [live.seal("x", {}), live.primaryId];
  away();
  clock.now += 10;
  expect(live.openString(stored, {})).toBe("x");
  expect(live.status()).toMatchObject({
    lastError: { code: "source-unreadable" },
    confirmedSecondsAgo: 10,
  });
  back();
  const second = rotate(file);
  clock.now += 0.9;
  expect(live.primaryId).toBe(first); // it looks for it once in a second
  clock.now += 0.1;
  expect(live.primaryId).toBe(second);
  expect(live.status().lastError).toBeUndefined();
});

test.each(["", "{}", "\xff", "{".repeat(2_000_000)])("a source that breaks: %#", (content) => {
  const stored = live.seal("x", {});
  writeFileSync(file.path, content, "latin1");
  clock.now += 10;
  expect(live.openString(stored, {})).toBe("x");
  expect(live.status().lastError).toBeInstanceOf(ResealError);
  refuses("keyset-malformed", () => live.refresh());
});

test("without a source at the start", () => {
  away();
  expect(live.status().lastError).toBeUndefined();
  const errors = sealing(live).map((step) => refuses("source-unreadable", step));
  expect(new Set(errors).size).toBe(errors.length);
  back();
  refuses("source-unreadable", () => live.primaryId); // it is not yet time
  clock.now += 1;
  expect(live.primaryId).toBeTruthy();
});

test("an older copy is refused", () => {
  const old = readFileSync(file.path);
  const second = rotate(file);
  expect(live.primaryId).toBe(second);
  writeFileSync(file.path, old);
  clock.now += 10;
  expect(live.primaryId).toBe(second);
  refuses("keyset-outdated", () => live.refresh());
  clock.now += LEASE;
  refuses("ring-stale", () => live.seal("x", {}));
});

test("another ring is refused", () => {
  const first = live.primaryId;
  unlinkSync(file.path);
  const other = Keyset.create({ kek });
  other.rotate("data");
  file.create(other);
  refuses("keyset-wrong-ring", () => live.refresh());
  clock.now += 10;
  expect(live.primaryId).toBe(first);
});

test.each(["disk", "clock"])("after a slow look there is a pause: %s", (failing) => {
  const stored = live.seal("x", {});
  const { openSync } = fs;
  let looks = 0;
  fs.openSync = ((...given: Parameters<typeof openSync>) => {
    if (given[0] === file.path) {
      looks += 1;
      clock.now += 20;
      if (failing === "disk") throw Object.assign(new Error("away"), { code: "EIO" });
    }
    return openSync(...given);
  }) as typeof openSync;
  syncBuiltinESMExports();
  try {
    clock.now += 10;
    for (const seconds of [0, 0.5, 0.4]) {
      clock.now += seconds;
      expect(live.openString(stored, {})).toBe("x");
    }
    expect(looks).toBe(1);
    clock.now += 0.2;
    live.open(stored, {});
    expect(looks).toBe(2);
  } finally {
    fs.openSync = openSync;
    syncBuiltinESMExports();
  }
});
