// Keysets: their moves, their key-encrypting keys, and the documents that they are stored as.
import { inspect } from "node:util";
import { beforeEach, expect, test } from "vitest";
import { inspectKeyset, Key, Keyring, Keyset } from "reseal";
import { errorOf, refuses } from "./support.js";

const KEK = Key.generate("kek");
const PASSPHRASE = "correct horse battery staple é";
const START = 1_795_132_800; // 2026-11-20T00:00:00Z

let keyset: Keyset;
beforeEach(() => void (keyset = Keyset.create({ kek: KEK, now: START })));

const reloaded = (of: Keyset, now = START) => Keyset.load(of.save({ now }), { kek: KEK });
const states = (of: Keyset) => Object.fromEntries(of.keys().map((key) => [key.label, key.state]));
/** What no types would let through. */
const any = (value: unknown) => value as never;

test("a new keyset", () => {
  const { generation, leaseSeconds, issued, primaryId, indexPrimaryId, ringId } = keyset;
  expect([generation, leaseSeconds, keyset.keys()]).toEqual([0, 0, []]);
  expect(issued).toBe("2026-11-20T00:00:00Z");
  expect([primaryId, indexPrimaryId]).toEqual([undefined, undefined]);
  expect(ringId).toMatch(/^[a-z2-7]{26}$/);
  const kek = { id: KEK.id, kind: "key", provider: undefined, reference: undefined, held: true };
  expect(keyset.keks()).toEqual([kek]);
  expect(Keyset.create({ kek: KEK }).ringId).not.toBe(ringId);
});

test("rotation and reload", () => {
  const first = keyset.rotate("data", { label: "first", now: START });
  const index = keyset.rotate("index", { label: "index", now: START });
  const stored = keyset.keyring().seal("x", { row: 1 });
  keyset = reloaded(keyset, START + 1);
  expect([keyset.generation, keyset.issued]).toEqual([1, "2026-11-20T00:00:01Z"]);
  const second = keyset.introduce("data", { label: "second", now: START + 2 });
  expect(states(keyset)).toEqual({ first: "primary", index: "primary", second: "introduced" });
  keyset.promote(second, { now: START + 3 });
  keyset = reloaded(keyset);
  expect([keyset.primaryId, keyset.indexPrimaryId]).toEqual([second, index]);
  const ring = keyset.keyring();
  expect(ring.openString(stored, { row: 1 })).toBe("x");
  const inRing = ring.keys().map((key) => [key.label, key.state]);
  expect(Object.fromEntries(inRing)).toEqual(states(keyset));
  expect(keyset.keys()[0]).toEqual({
    id: first,
    use: "data",
    state: "decrypt_only",
    created: "2026-11-20T00:00:00Z",
    changed: "2026-11-20T00:00:03Z",
    label: "first",
  });
});

test("the whole life of a key", () => {
  const [first, second] = ["a", "b"].map((label) => keyset.rotate("data", { label, now: START }));
  const stored = new Keyring({ primary: keyset.exportKeys()[first!]! }).seal("x", {});
  expect(keyset.revert("data", { now: START + 1 })).toBe(first);
  expect(keyset.revert(undefined, { now: START + 2 })).toBe(second);
  keyset.disable(first!);
  refuses("key-disabled", () => keyset.keyring().open(stored, {}));
  keyset.enable(first!);
  expect(keyset.keyring().openString(stored, {})).toBe("x");
  keyset.disable(first!);
  keyset.destroy(first!);
  expect(states(keyset)).toEqual({ a: "destroyed", b: "primary" });
  expect(Object.keys(keyset.exportKeys())).toEqual([second]);
  keyset = reloaded(keyset);
  refuses("key-destroyed", () => keyset.keyring().open(stored, {}));
  keyset.disable(second!, { emergency: true });
  refuses("no-primary", () => keyset.keyring().seal("x", {}));
});

test("illegal moves say what is legal", () => {
  const [old, fresh] = [1, 2].map(() => keyset.rotate("data", { now: START }));
  const waiting = keyset.introduce("data", { now: START });
  for (const step of [
    () => keyset.promote(fresh!),
    () => keyset.promote(old!),
    () => keyset.disable(fresh!),
    () => keyset.enable(waiting),
    () => keyset.destroy(old!),
    () => keyset.revert("index"),
  ]) {
    refuses("keyset-transition", step);
  }
  const error = refuses("keyset-transition", () => keyset.enable(waiting));
  expect(error.message).toContain("promoted or disabled");
  keyset.promote(old!, { back: true });
  expect(keyset.primaryId).toBe(old);
});

test("the lease", () => {
  keyset.rotate("data", { now: START });
  keyset.setLeaseSeconds(3600);
  keyset = reloaded(keyset);
  expect(keyset.leaseSeconds).toBe(3600);
  const fresh = keyset.introduce("data", { now: START });
  const promote = (now: number) => () => keyset.promote(fresh, { now });
  expect(refuses("keyset-transition", promote(START + 3600)).message).toContain("not saved yet");
  keyset = reloaded(keyset);
  expect(refuses("keyset-transition", promote(START + 3599)).message).toContain("wait 1 second");
  keyset.promote(fresh, { now: START + 3600 });
  const early = keyset.introduce("data", { now: START });
  keyset.promote(early, { early: true, now: START });
  expect(keyset.rotate("data", { early: true, now: START })).toBe(keyset.primaryId);
  for (const seconds of [-1, 1.5, 31_536_001, Infinity, NaN, "60", null, undefined, 60n]) {
    refuses("invalid-argument", () => keyset.setLeaseSeconds(any(seconds)));
  }
  expect(keyset.leaseSeconds).toBe(3600);
});

test("a rotation that is refused leaves nothing behind", () => {
  keyset.rotate("data", { now: START });
  keyset.setLeaseSeconds(3600);
  keyset = reloaded(keyset);
  const key = Key.generate();
  const before = keyset.keys();
  for (const fresh of [key, key, "data"] as const) {
    const error = refuses("keyset-transition", () => keyset.rotate(fresh, { now: START }));
    expect(error.message).toContain("a lease of 3600 seconds");
    expect(keyset.keys()).toEqual(before);
  }
  expect(keyset.rotate(key, { early: true, now: START })).toBe(key.id);
  expect([keyset.primaryId, keyset.keys().length]).toEqual([key.id, 2]);
  refuses("invalid-argument", () => keyset.rotate("data", { label: "\n", early: true }));
  expect(keyset.keys()).toHaveLength(2);
});

test("going back takes no key that may never have been primary", () => {
  const old = keyset.rotate("data", { now: START });
  const [fresh, stray] = [1, 2].map(() => keyset.introduce("data", { now: START }));
  keyset.disable(stray!, { now: START });
  keyset.enable(stray!, { now: START + 1 });
  keyset.promote(fresh!, { now: START + 2 });
  keyset.disable(fresh!, { emergency: true, now: START + 3 });
  const { message } = refuses("keyset-transition", () => keyset.revert("data"));
  expect(message).toContain(`(back): ${old}, ${stray}`);
  keyset.disable(stray!);
  expect(keyset.revert()).toBe(old);
});

test("keys are named by the beginning of their ids", () => {
  const key = Key.fromBytes("data", new Uint8Array(32));
  expect(keyset.introduce(key, { label: "zero" })).toBe(key.id);
  keyset.promote(key.id.slice(0, 4));
  keyset.relabel(key.id.slice(0, 31), "nought");
  expect(states(keyset)).toEqual({ nought: "primary" });
  const { id } = key;
  for (const name of ["", id.slice(0, 3), `${id}a`, "aaaa", "ÄÄÄÄ", "rsk1.data", key, null, 1]) {
    const error = refuses("invalid-argument", () => keyset.promote(any(name)));
    expect(error.message).not.toContain("rsk1");
  }
});

test("keys that do not fit", () => {
  const key = Key.generate("index");
  keyset.introduce(key);
  refuses("duplicate-key", () => keyset.introduce(key));
  refuses("key-wrong-use", () => keyset.introduce(any(KEK)));
  refuses("key-wrong-use", () => keyset.introduce(any("kek")));
  for (const wrong of [key.export(), "", null, undefined, 1, Buffer.from("data")]) {
    refuses("invalid-argument", () => keyset.introduce(any(wrong)));
  }
  for (const label of ["x".repeat(65), "a\nb", "\x7f", "\ud800", 1, null, "x".repeat(100_000)]) {
    refuses("invalid-argument", () => keyset.introduce("data", { label: any(label) }));
    refuses("invalid-argument", () => keyset.relabel(key.id, any(label)));
  }
  expect(keyset.keys()).toHaveLength(1);
  keyset.introduce("data", { label: `${"x".repeat(63)}é` });
  key.dispose();
  refuses("invalid-argument", () => keyset.introduce(key));
});

test("a Date that is none is no moment", () => {
  for (const now of [new Proxy(new Date(), {}), Object.create(Date.prototype) as Date]) {
    refuses("invalid-argument", () => Keyset.create({ kek: KEK, now }));
  }
});

test.each([START, START + 0.9, new Date(START * 1000), new Date("2026-11-20T05:30:00+05:30")])(
  "a moment: %s",
  (now) => {
    const made = Keyset.create({ kek: KEK, now });
    made.introduce("data", { now });
    expect([made.issued, made.keys()[0]!.created]).toEqual(Array(2).fill("2026-11-20T00:00:00Z"));
  },
);

test.each([
  "now",
  true,
  -1,
  Number.NaN,
  Infinity,
  1e300,
  START * 1000,
  10n,
  null,
  [],
  new Date(Number.NaN),
  { getTime: (): number => 0 },
])("what is no moment: %s", (now) => {
  refuses("invalid-argument", () => Keyset.create({ kek: KEK, now: any(now) }));
  refuses("invalid-argument", () => keyset.introduce("data", { now: any(now) }));
  expect(keyset.keys()).toEqual([]);
});

test("the clock of this machine", () => {
  const before = Math.floor(Date.now() / 1000) * 1000;
  const issued = Date.parse(Keyset.create({ kek: KEK }).issued);
  expect(issued).toBeGreaterThanOrEqual(before);
  expect(issued).toBeLessThanOrEqual(Date.now());
});

test("several key-encrypting keys", () => {
  const other = Key.generate("kek");
  keyset.rotate("data");
  expect(keyset.addKek(`${other.export()}\n`)).toBe(other.id);
  const phrase = keyset.addPassphrase(PASSPHRASE);
  const text = keyset.save();
  for (const opener of [
    { kek: KEK },
    { kek: other.export() },
    { passphrase: Buffer.from(PASSPHRASE) },
  ]) {
    const opened = Keyset.load(text, opener);
    expect(opened.primaryId).toBe(keyset.primaryId);
    expect(opened.keks().filter(({ held }) => held)).toHaveLength(1);
    refuses("kek-mismatch", () => opened.save());
    refuses("kek-mismatch", () => opened.verify());
  }
  const all = { kek: [KEK, other], passphrase: PASSPHRASE };
  const full = Keyset.load(Buffer.from(text), all);
  full.verify();
  expect(full.keks().map(({ id, kind, held }) => [id, kind, held])).toEqual([
    [KEK.id, "key", true],
    [other.id, "key", true],
    [phrase, "passphrase", true],
  ]);
  for (const id of [KEK.id.slice(0, 6), phrase]) full.removeKek(id);
  refuses("keyset-transition", () => full.removeKek(other.id));
  const after = full.save();
  expect(Keyset.load(after, { kek: other }).generation).toBe(2);
  refuses("kek-mismatch", () => Keyset.load(after, { kek: KEK }));
  refuses("kek-mismatch", () => Keyset.load(after, { passphrase: PASSPHRASE }));
});

test("key-encrypting keys that do not fit", () => {
  refuses("duplicate-key", () => keyset.addKek(KEK));
  refuses("key-wrong-use", () => keyset.addKek(Key.generate()));
  refuses("invalid-argument", () => keyset.removeKek("aaaa"));
  for (const wrong of [null, undefined, 1, "\ud800", "x".repeat(65_537), ["x"]]) {
    refuses("invalid-argument", () => keyset.addPassphrase(any(wrong)));
  }
  refuses("invalid-argument", () => keyset.addPassphrase(new Uint8Array(65_537)));
  for (let i = 0; i < 7; i++) keyset.addKek(Key.generate("kek"));
  refuses("keyset-transition", () => keyset.addKek(Key.generate("kek")));
  for (const options of [
    {},
    { kek: KEK, passphrase: "x" },
    { kek: KEK, leaseSeconds: 31_536_001 },
    { kek: KEK, leaseSeconds: -1 },
    { kek: KEK, leaseSeconds: 1.5 },
    { kek: KEK, lease_seconds: 1 },
    { kek: 1 },
    { passphrase: 1 },
    null,
    undefined,
    [],
  ]) {
    refuses("invalid-argument", () => Keyset.create(any(options)));
  }
  refuses("key-wrong-use", () => Keyset.create({ kek: Key.generate() }));
  refuses("invalid-key", () => Keyset.create({ kek: "rsk1.kek.x" }));
  refuses("invalid-argument", () => new (Keyset as unknown as new () => Keyset)());
});

test("what a loader expects", () => {
  const text = keyset.save();
  const load = (options: object) => () => Keyset.load(text, any(options));
  const expected = { kek: KEK, ring: keyset.ringId, minGeneration: 1 };
  expect(load(expected)().generation).toBe(1);
  refuses("keyset-wrong-ring", load({ ...expected, ring: "a".repeat(26) }));
  refuses("keyset-outdated", load({ ...expected, minGeneration: 2 }));
  for (const minGeneration of [-1, 0.5, "1", 1n, 2 ** 53, null]) {
    refuses("invalid-argument", load({ kek: KEK, minGeneration }));
  }
  for (const ring of [1, null, ""]) refuses("invalid-argument", load({ kek: KEK, ring }));
  for (const options of [{}, { kek: [] }, { kek: 1 }, { kek: [1] }, { kek: null }]) {
    refuses("invalid-argument", load(options));
  }
  refuses("invalid-argument", () => Keyset.load(text, any(undefined)));
  refuses("kek-mismatch", load({ passphrase: "x" }));
  refuses("kek-mismatch", load({ kek: Key.generate("kek") }));
  refuses("key-wrong-use", load({ kek: Key.generate() }));
  refuses("invalid-key", load({ kek: [KEK, "rsk1.kek."] }));
});

test("hundreds of key-encrypting keys", () => {
  const text = keyset.save();
  const many = Array.from({ length: 300 }, () => Key.generate("kek"));
  expect(Keyset.load(text, { kek: [...many, KEK] }).generation).toBe(1);
  refuses("kek-mismatch", () => Keyset.load(text, { kek: many }));
  const document = JSON.parse(text) as { keks: { id: string }[] };
  document.keks.push(...many.map(({ id }) => ({ ...document.keks[0]!, id })));
  refuses("keyset-malformed", () => Keyset.load(JSON.stringify(document), { kek: many }));
});

test.each([
  "",
  "{}",
  "null",
  "[".repeat(100_000),
  "\ud800",
  Uint8Array.of(0xff),
  "\ufeff{}",
  " ".repeat(1_048_577),
  " ".repeat(2_000_000),
  "é".repeat(1_048_576),
  "🔐".repeat(1_000_000),
  new Uint8Array(1_048_577).fill(32),
  new Uint8Array(2_000_000).fill(32),
])("a document that is none: %#", (document) => {
  refuses("keyset-malformed", () => Keyset.load(document, { kek: KEK }));
  refuses("keyset-malformed", () => inspectKeyset(document));
});

test("what is no document at all", () => {
  for (const document of [null, undefined, 1, {}, [1], new ArrayBuffer(8), new Uint16Array(2)]) {
    refuses("invalid-argument", () => inspectKeyset(any(document)));
    refuses("invalid-argument", () => Keyset.load(any(document), { kek: KEK }));
    refuses("invalid-argument", () => keyset.saved(any(document)));
  }
});

test("a document of the largest size is read", () => {
  const text = keyset.save();
  const full = text + " ".repeat(1_048_576 - Buffer.byteLength(text));
  expect(Keyset.load(full, { kek: KEK }).generation).toBe(1);
  refuses("keyset-malformed", () => Keyset.load(`${full} `, { kek: KEK }));
});

test("changed documents", () => {
  keyset.rotate("data", { label: "old" });
  const document = JSON.parse(keyset.save()) as { version: number; keys: { label: string }[] };
  document.keys[0]!.label = "new";
  const changed = JSON.stringify(document);
  refuses("keyset-tampered", () => Keyset.load(changed, { kek: KEK }));
  expect(inspectKeyset(changed).keys()[0]!.label).toBe("new");
  document.version = 2;
  refuses("unsupported-version", () => inspectKeyset(JSON.stringify(document)));
});

/** A document whose passphrase takes this much. */
function withMemory(memoryKib: number): string {
  const document = JSON.parse(Keyset.create({ passphrase: PASSPHRASE }).save()) as {
    keks: { source: { memory_kib: number } }[];
  };
  document.keks[0]!.source.memory_kib = memoryKib;
  return JSON.stringify(document);
}

test("a new passphrase has twelve characters", () => {
  for (const short of ["", "elf zeichen", "größer elfä", new Uint8Array(11)]) {
    for (const step of [
      () => Keyset.create({ passphrase: short }),
      () => keyset.addPassphrase(short),
    ]) {
      const { message } = refuses("invalid-argument", step);
      expect(message).toContain("at least 12 characters");
    }
  }
  expect(keyset.keks()).toHaveLength(1);
  keyset.addPassphrase("größere elfä");
  refuses("kek-mismatch", () => Keyset.load(keyset.save(), { passphrase: "x" }));
});

test("a terabyte of memory is refused", () => {
  const text = withMemory(2 ** 30);
  refuses("keyset-malformed", () => Keyset.load(text, { passphrase: PASSPHRASE }));
  refuses("keyset-malformed", () => inspectKeyset(text));
});

test("memory that is not to be had is an error of this package", () => {
  const text = withMemory(2 ** 20);
  const { Instance } = WebAssembly;
  WebAssembly.Instance = class {
    constructor() {
      throw new RangeError("out of memory");
    }
  } as unknown as typeof Instance;
  try {
    const error = refuses("source-unreadable", () => Keyset.load(text, { passphrase: PASSPHRASE }));
    expect(error.message).toContain("1024 MiB");
  } finally {
    WebAssembly.Instance = Instance;
  }
  // Nothing is broken by it.
  const made = Keyset.create({ passphrase: PASSPHRASE }).save();
  expect(Keyset.load(made, { passphrase: PASSPHRASE })).toBeDefined();
});

test("the unverified view", () => {
  keyset.rotate("data", { label: "d" });
  keyset.rotate("index", { label: "i" });
  const text = keyset.save();
  const [shown, opened] = [inspectKeyset(text), Keyset.load(text, { kek: KEK })];
  const names = [
    "ringId",
    "generation",
    "issued",
    "leaseSeconds",
    "primaryId",
    "indexPrimaryId",
  ] as const;
  for (const name of names) expect(shown[name], name).toBe(opened[name]);
  expect(shown.keys()).toEqual(opened.keys());
  expect(shown.keks()).toEqual(opened.keks().map((kek) => ({ ...kek, held: false })));
  expect(inspectKeyset(Buffer.from(text))).toEqual(shown);
  const json = JSON.parse(JSON.stringify(shown)) as Record<string, unknown>;
  expect(json).toMatchObject({ ringId: shown.ringId, keys: shown.keys() });
  shown.keys().pop();
  (shown.keys()[0] as { label: string }).label = "changed";
  expect(shown.keys()).toEqual(opened.keys());
});

test("saved", () => {
  const text = keyset.save();
  const other = Keyset.create({ kek: KEK }).save();
  refuses("keyset-conflict", () => keyset.saved(other));
  expect(keyset.generation).toBe(0);
  keyset.saved(text);
  expect(keyset.generation).toBe(1);
  refuses("keyset-conflict", () => keyset.saved(text));
  keyset.saved(Buffer.from(keyset.save()));
  expect(keyset.generation).toBe(2);
});

test("flags are flags, and options have the names that they have", () => {
  const id = keyset.introduce("data");
  for (const step of [
    () => keyset.promote(id, { early: any("yes") }),
    () => keyset.promote(id, { back: any(1) }),
    () => keyset.disable(id, { emergency: any(null) }),
    () => keyset.rotate("data", { early: any("no") }),
    () => keyset.rotate("data", any({ back: true })),
    () => keyset.enable(id, any({ when: START })),
    () => keyset.revert("data", any(START)),
    () => keyset.revert(any("kek2")),
    () => keyset.save(any(null)),
  ]) {
    refuses("invalid-argument", step);
  }
  expect(keyset.keys()).toHaveLength(1);
});

test("a keyset that was disposed", () => {
  const ring = ((id) => (keyset.promote(id), keyset.keyring()))(keyset.introduce("data"));
  keyset.dispose();
  for (const step of [
    () => keyset.keys(),
    () => keyset.generation,
    () => keyset.save(),
    () => keyset.introduce("data"),
    () => keyset.addKek(KEK),
    () => keyset.addPassphrase("x"),
    () => keyset.keyring(),
  ]) {
    refuses("invalid-argument", step);
  }
  keyset.dispose();
  expect(String(keyset)).toBe("Keyset(disposed)");
  expect(ring.openString(ring.seal("x", {}), {})).toBe("x");
  {
    using scoped = Keyset.create({ kek: KEK });
    keyset = scoped;
  }
  refuses("invalid-argument", () => keyset.keys());
});

test("a thousand keys", () => {
  const labels = Array.from({ length: 1000 }, (_, i) => `key ${i}`);
  for (const label of labels) keyset.introduce("data", { label });
  expect(
    reloaded(keyset)
      .keys()
      .map(({ label }) => label),
  ).toEqual(labels);
});

test("nothing shows a key or a passphrase", () => {
  const bytes = Uint8Array.from({ length: 32 }, (_, i) => 200 + i);
  const [key, kek] = [Key.fromBytes("data", bytes), Key.fromBytes("kek", bytes)];
  const secret = "a very secret passphrase";
  const holder = Keyset.create({ kek });
  holder.introduce(key, { label: "a label" });
  holder.promote(key.id);
  const text = holder.save();
  const forbidden = [
    Buffer.from(bytes).toString("hex").slice(8, 24),
    Buffer.from(bytes).toString("base64url").slice(4, 20),
    key.export().slice(20, 40),
    kek.export().slice(-6),
    secret.slice(2, 15),
    "200, 201",
  ];
  const silent = (shown: string) => {
    for (const part of forbidden) expect(shown).not.toContain(part);
  };
  for (const thing of [holder, inspectKeyset(text), ...holder.keys(), ...holder.keks()]) {
    silent(inspect(thing, { showHidden: true, depth: 9, getters: true }));
    silent(JSON.stringify(thing) + String(thing));
    silent(JSON.stringify(Object.entries(thing)));
  }
  silent(text);
  silent(inspect(structuredClone(holder)));
  expect(inspect(holder)).toContain(`data ${key.id} primary`);
  const keyText = key.export();
  for (const step of [
    () => Keyset.create({ kek: keyText }),
    () => Keyset.create({ kek: kek.export().slice(0, -1) }),
    () => Keyset.create({ kek: `"${kek.export()}"` }),
    () => Keyset.create({ kek, passphrase: secret }),
    () => Keyset.load(text, { passphrase: secret }),
    () => Keyset.load(text, { kek: keyText }),
    () => Keyset.load(secret, { kek }),
    () => Keyset.load(keyText, { kek }),
    () => Keyset.load(text, { kek, ring: keyText }),
    () => holder.introduce(any(keyText)),
    () => holder.introduce(key),
    () => holder.promote(keyText),
    () => holder.revert(any(keyText)),
    () => holder.addKek(kek.export()),
    () => holder.removeKek(kek.export()),
    () => holder.saved(secret),
  ]) {
    const error = errorOf(step);
    silent(inspect(error, { showHidden: true, depth: 9 }) + JSON.stringify(error) + String(error));
  }
});
