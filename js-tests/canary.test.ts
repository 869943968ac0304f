// The canary: whether a process has the right keys, told at its start.
import { expect, test } from "vitest";
import { inspect, Key, Keyring, Keyset, KeysetFile, LiveKeyring } from "reseal";
import { useFolder } from "./files-support.js";
import { Clock, kek } from "./live-support.js";
import { refuses } from "./support.js";

const [key, other] = [Key.generate(), Key.generate()];
const ring = new Keyring({ primary: key });
const canary = ring.canary();

let folder: string;
useFolder((made) => (folder = made));

test("the right keys", () => {
  expect(ring.check(canary)).toBe("ok");
  expect(new Keyring({ primary: other, decryptOnly: [key] }).check(canary)).toBe("ok");
  expect(new Keyring({ primary: other, introduced: [key] }).check(canary)).toBe("ok");
  expect(ring.canary()).not.toBe(canary);
  expect(inspect(canary).mode).toBe("random");
});

test("the wrong keys", () => {
  for (const [wrong, answer] of [
    [new Keyring({ primary: other }), "unknown-key"],
    [new Keyring({ primary: other, disabled: [key] }), "key-disabled"],
    [new Keyring({ primary: other, destroyed: [key.id] }), "key-destroyed"],
    [new Keyring({}), "unknown-key"],
  ] as const) {
    expect(wrong.check(canary)).toBe(answer);
  }
});

test("what is no canary of this ring", () => {
  const middle = canary[60] === "A" ? "B" : "A";
  expect(ring.check(canary.slice(0, 60) + middle + canary.slice(61))).toBe("auth-failed");
  expect(ring.check(ring.seal("reseal-canary", {}))).toBe("auth-failed");
  const index = Key.generate("index");
  const named = canary.replace(key.id, index.id);
  expect(new Keyring({ primary: key, index }).check(named)).toBe("key-wrong-use");
  expect(ring.check(canary.replace(key.id, other.id))).toBe("unknown-key");
  // Nobody can seal one by hand: names that begin with rs_ are reserved.
  refuses("context-invalid", () => ring.seal("reseal-canary", { rs_purpose: "canary" }));
});

test("what is no envelope", () => {
  for (const [value, code] of [
    ["", "not-envelope"],
    ["rs1.", "not-envelope"],
    [canary.slice(0, 60), "malformed"],
    [`rs2.${canary.slice(4)}`, "unsupported-version"],
    [undefined, "invalid-argument"],
    [null, "invalid-argument"],
    [new Uint8Array(), "invalid-argument"],
    ["x".repeat(100_000_000), "not-envelope"],
    [canary + "A".repeat(23_000_000), "too-large"],
  ] as const) {
    refuses(code, () => ring.check(value as string));
  }
});

test("a ring that does not seal", () => {
  refuses("no-primary", () => new Keyring({ introduced: [key] }).canary());
});

test("a ring that was disposed", () => {
  const gone = new Keyring({ primary: key });
  gone.dispose();
  refuses("invalid-argument", () => gone.canary());
  refuses("invalid-argument", () => gone.check(canary));
});

test("a live ring", () => {
  const clock = new Clock();
  const file = new KeysetFile(`${folder}/keyset.json`, { kek });
  const live = LiveKeyring.fromKeyset(file.path, { kek, clock: clock.read });
  refuses("source-unreadable", () => live.canary());
  refuses("source-unreadable", () => live.check(canary));
  const keyset = Keyset.create({ kek });
  keyset.rotate("data");
  file.create(keyset);
  clock.now += 1;
  expect(live.check(live.canary())).toBe("ok");
  expect(live.check(canary)).toBe("unknown-key");
  file.edit((keyset) => keyset.introduce(key));
  clock.now += 1;
  expect(live.check(canary)).toBe("ok");
});
