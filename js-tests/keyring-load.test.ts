// Keyring.load: keysets that must be awaited.
import { expect, test } from "vitest";
import { Key, Keyring, Keyset, MemoryKekProvider, type KeyringLoadOptions } from "reseal";
import { refuses } from "./support.js";

const kek = Key.generate("kek");
const keyset = Keyset.create({ kek });
const primary = keyset.rotate("data", { label: "first" });
keyset.addPassphrase("several words");
const text = keyset.save();
const bytes = new TextEncoder().encode(text);

/** Expects that loading rejects with an error that has this code. */
async function rejects(code: Parameters<typeof refuses>[0], options: unknown): Promise<void> {
  let thrown: unknown;
  const loading = Keyring.load(options as KeyringLoadOptions);
  await loading.catch((error: unknown) => (thrown = error));
  refuses(code, () => {
    throw thrown;
  });
}

test("a keyset from anywhere", async () => {
  for (const given of [text, bytes, () => text, () => bytes, async () => text, async () => bytes]) {
    const ring = await Keyring.load({ keyset: given, kek });
    expect(ring.primaryId).toBe(primary);
    expect(ring.openString(keyset.keyring().seal("x", {}), {})).toBe("x");
  }
});

test("whatever opens it", async () => {
  const expected = { keyset: text, ring: keyset.ringId, minGeneration: 1 };
  for (const opener of [
    { kek },
    { kek: kek.export() },
    { kek: [Key.generate("kek"), kek] },
    { passphrase: "several words" },
    { passphrase: new TextEncoder().encode("several words") },
  ]) {
    expect((await Keyring.load({ ...expected, ...opener })).primaryId).toBe(primary);
  }
});

test("a key service", async () => {
  const provider = new MemoryKekProvider();
  const kept = await Keyset.createAsync({ provider, reference: "keys/app" });
  const id = kept.rotate("data");
  const document = kept.save();
  const fetched = async () => document;
  const ring = await Keyring.load({ keyset: fetched, providers: [provider] });
  expect(ring.primaryId).toBe(id);
  await rejects("kek-mismatch", { keyset: document, kek });
  await rejects("auth-failed", { keyset: document, providers: [stranger(provider)] });
});

/** A service with the wrong key. */
function stranger(provider: MemoryKekProvider) {
  return {
    name: provider.name,
    wrap: (reference: string, content: Uint8Array) => provider.wrap(reference, content),
    unwrap: (_: string, blob: Uint8Array) => provider.unwrap("keys/other", blob),
  };
}

test("what is wrong is a rejection", async () => {
  await rejects("invalid-argument", undefined);
  await rejects("invalid-argument", {});
  await rejects("invalid-argument", { keyset: text });
  await rejects("invalid-argument", { keyset: text, kek, other: 1 });
  await rejects("invalid-argument", { keyset: 1, kek });
  await rejects("invalid-argument", { keyset: text, providers: 1 });
  await rejects("keyset-malformed", { keyset: "{}", kek });
  await rejects("kek-mismatch", { keyset: text, kek: Key.generate("kek") });
  await rejects("keyset-wrong-ring", { keyset: text, kek, ring: "a".repeat(26) });
  await rejects("keyset-outdated", { keyset: text, kek, minGeneration: 2 });
  await rejects("keyset-tampered", { keyset: text.replace("first", "other"), kek });
});

test("what getting it throws is thrown", async () => {
  const failing = [
    () => {
      throw new RangeError("no network");
    },
    () => Promise.reject(new RangeError("no network")),
  ];
  for (const given of failing) {
    await expect(Keyring.load({ keyset: given, kek })).rejects.toThrow(RangeError);
  }
});
