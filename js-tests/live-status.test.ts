// What a live ring tells of itself, without a secret, and what is left of one that is disposed of.
import { inspect as shown } from "node:util";
import { expect, test } from "vitest";
import { Key, Keyring, LiveKeyring } from "reseal";
import { clock, file, follow, live, put, useLive } from "./live-scene.js";
import { kek, LEASE } from "./live-support.js";
import { errorOf, refuses } from "./support.js";

useLive();

test("status", () => {
  expect(live.status()).toEqual({
    kind: "keyset",
    generation: undefined,
    ringId: undefined,
    leaseSeconds: 0,
    confirmedSecondsAgo: undefined,
    stale: false,
    lastError: undefined,
  });
  live.refresh();
  clock.now += 2.5;
  expect(live.status()).toEqual({
    kind: "keyset",
    generation: 1,
    ringId: file.load().ringId,
    leaseSeconds: LEASE,
    confirmedSecondsAgo: 2.5,
    stale: false,
    lastError: undefined,
  });
});

test("dispose", () => {
  const field = live.field({});
  const stored = live.seal("x", {});
  for (let i = 0; i < 2; i++) live.dispose();
  for (const step of [
    ...[() => live.seal("x", {}), () => live.open(stored, {}), () => live.keys()],
    ...[() => field.seal("x"), () => field.open(stored), () => live.field({})],
    ...[() => live.refresh(), () => live.status(), () => live.check(stored)],
  ]) {
    expect(refuses("invalid-argument", step).message).toContain("disposed");
  }
  expect(String(live)).toBe("LiveKeyring(disposed)");
  const unused = follow();
  unused.dispose();
  refuses("invalid-argument", () => unused.seal("x", {}));
});

test("nothing shows a secret", () => {
  file.edit((keyset) => keyset.addPassphrase("several words"));
  const key = Key.generate().export();
  const path = put("key", key);
  const rings = [
    live,
    follow({ kek: kek.export() }),
    LiveKeyring.fromKeyset(file.path, { passphrase: "several words", clock: clock.read }),
    LiveKeyring.fromEnv({ RESEAL_PRIMARY_KEY_FILE: path }, { clock: clock.read }),
  ];
  const secrets = ["several words", key.slice(10, 40), kek.export().slice(9, 40)];
  const all: unknown[] = [];
  for (const ring of rings) {
    ring.refresh();
    all.push(ring, ring.status(), ring.field({}));
  }
  for (const name of ["keyset.json", "key"]) put(name, `${kek.export()} several words`);
  for (const ring of rings)
    all.push(
      errorOf(() => ring.refresh()),
      ring.status(),
    );
  for (const value of all) {
    const texts = [
      shown(value, { depth: null, showHidden: true, getters: true }),
      JSON.stringify(value),
      String(value),
      value instanceof Error ? value.stack : "",
      JSON.stringify(structuredClone(value instanceof Keyring ? {} : { ...(value as object) })),
    ];
    for (const secret of secrets) for (const text of texts) expect(text).not.toContain(secret);
  }
});
