// Arguments and options of live rings that are refused.
import { expect, test } from "vitest";
import { Key, Keyring, KeysetFile, LiveKeyring, ResealError } from "reseal";
import { file, folder, follow, useLive } from "./live-scene.js";
import { kek } from "./live-support.js";
import { refuses } from "./support.js";

useLive();

test("a ring id that is empty is no ring id", () => {
  for (const make of [
    () => follow({ ring: "" }),
    () => Keyring.fromKeyset(file.path, { kek, ring: "" }),
    () => new KeysetFile(file.path, { kek, ring: "" }),
  ]) {
    refuses("invalid-argument", make);
  }
});

test.each(["checkSeconds", "reloadSeconds"])("seconds that are none: %s", (name) => {
  for (const value of ["1", -1, NaN, Infinity, [], null, 1e30, 1n]) {
    refuses("invalid-argument", () => follow({ [name]: value }));
  }
});

test("wrong arguments", () => {
  const make = LiveKeyring.fromKeyset.bind(LiveKeyring);
  for (const options of [
    {},
    { kek, kekFile: "x" },
    { kek: [kek] },
    { passphrase: 1 },
    { kek, ring: "x" },
    { kek, minGeneration: -1 },
    null,
    [],
  ] as never[]) {
    refuses("invalid-argument", () => make(file.path, options));
    refuses("invalid-argument", () => Keyring.fromKeyset(file.path, options));
  }
  for (const options of [
    { kek, clock: 1 },
    { kek, seconds: 1 },
    { kek, clock: null },
  ] as never[]) {
    refuses("invalid-argument", () => make(file.path, options));
  }
  refuses("invalid-argument", () => LiveKeyring.fromEnv({}, { kek } as never));
  refuses("invalid-argument", () => LiveKeyring.fromDirectory(folder, {} as never));
  refuses("invalid-argument", () => make(1 as never, { kek }));
  const Made = LiveKeyring as unknown as new (given?: unknown) => LiveKeyring;
  for (const given of [undefined, {}, { primary: Key.generate() }]) {
    refuses("invalid-argument", () => new Made(given));
  }
});

test("what must be awaited is no live ring", async () => {
  const load = LiveKeyring.load as unknown as (options: unknown) => Promise<unknown>;
  const error: unknown = await load({ keyset: "", kek }).catch((error: unknown) => error);
  expect((error as ResealError).code).toBe("invalid-argument");
});
