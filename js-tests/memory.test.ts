// What stays in the module's memory: no plaintext, no key text, no key that was disposed.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { instances } from "./fixtures/instances.js";
import {
  codecs,
  Column,
  inspectKeyset,
  Key,
  Keyring,
  Keyset,
  KeysetFile,
  LiveKeyring,
  MemoryKekProvider,
  toBinary,
  type Codec,
} from "reseal";
import { outOf, testkitOf } from "./vectors/testkit.mjs";

/** A part of a secret of this length is found wherever it begins. */
const PART_BYTES = 16;
const STRIDE = 4;
const STACK_END = 2 ** 20;

const context = { table: "users", column: "email", row: 42 };
const index = { index: "email_eq", normalizer: "digits" } as const;
const kit = testkitOf(
  new WebAssembly.Module(
    readFileSync(new URL("../target/testkit/reseal_testkit.wasm", import.meta.url)),
  ),
);

let ring: Keyring;
let old: Keyring;
let oldKey: Key;
beforeAll(() => {
  oldKey = Key.generate();
  ring = new Keyring({
    primary: Key.generate(),
    decryptOnly: [oldKey],
    index: Key.generate("index"),
  });
  old = new Keyring({ primary: oldKey });
});

test("the scan finds what is there", () => {
  const key = Key.generate();
  const secret = secretOf(key);
  expect(found(secret)).toBe(true);
  expect(found(secret.subarray(5, 5 + PART_BYTES))).toBe(true);
  key.dispose();
  expect(found(secret)).toBe(false);
});

/** Calls with a plaintext, which come to an end or to an error. */
const calls: [string, (value: string) => unknown][] = [
  ["seal", (value) => ring.seal(value, context)],
  ["seal bytes", (value) => ring.seal(Buffer.from(value), context)],
  ["seal padded", (value) => ring.seal(value, context, "padded")],
  ["seal deterministic", (value) => ring.seal(value, context, "deterministic")],
  ["sealBinary", (value) => ring.sealBinary(value, context)],
  ["open", (value) => ring.open(ring.seal(value, context), context)],
  ["openString", (value) => ring.openString(ring.seal(value, context), context)],
  ["open deterministic", (value) => ring.open(ring.seal(value, {}, "deterministic"), {})],
  ["open padded", (value) => ring.open(ring.seal(value, {}, "padded"), {})],
  ["openBinary", (value) => ring.openBinary(ring.sealBinary(value, context), context)],
  ["a wrong context", (value) => ring.open(ring.seal(value, context), {})],
  ["text that is none", (value) => ring.openString(ring.seal(latin1(`${value}é`), {}), {})],
  ["reseal", (value) => ring.reseal(old.seal(value, context), context)],
  ["resealBinary", (value) => ring.resealBinary(toBinary(old.seal(value, context)), context)],
  ["lookupValues", (value) => ring.lookupValues(value, context)],
  ["indexTerm", (value) => ring.indexTerm(value, context, index)],
  ["indexTerms", (value) => ring.indexTerms(value, context, { index: "i" })],
  ["indexTerms trimmed", (value) => ring.indexTerms(` ${value} `, context, { index: "i", normalizer: "ascii-lower-trim" })], // prettier-ignore
  ["sealMany", (value) => ring.sealMany([value, `${value}${value}`], context)],
  ["sealMany, each context", (value) => ring.sealMany([value, value], [{}, context])],
  ["sealMany, bad ones among", (value) => ring.sealMany([value, null as never, value], context)],
  ["sealManyBinary padded", (value) => ring.sealManyBinary([value, value], context, "padded")],
  ["openMany", (value) => ring.openMany(ring.sealMany([value, value], {}) as string[], {})],
  ["openManyString", (value) => ring.openManyString([ring.seal(value, {}), "x"], {})],
  ["openManyBinary", (value) => ring.openManyBinary([ring.sealBinary(value, {})], {})],
  ["a field", (value) => ring.field({ a: 1 }).openString(ring.field({ a: 1 }).seal(value))],
  ["no primary", (value) => new Keyring({}).seal(value, context)],
  ["a bad context", (value) => ring.seal(value, { Row: 1 })],
  ["a lone surrogate", (value) => ring.seal(`${value}\ud800`, {})],
  ...["fernet", "sentry", "rails", "metabase", "n8n", "prefixed", "freeboard"].map(
    (name): [string, (value: string) => unknown] => {
      return [`${name}: seal, open, rotate`, (value) => throughCodec(codecOf(name), quoted(value))];
    },
  ),
  ...["fernet", "rails", "metabase", "n8n", "prefixed", "freeboard"].map(
    (name): [string, (value: string) => unknown] => {
      return [`${name}: a column`, (value) => throughColumn(codecOf(name), quoted(value))];
    },
  ),
];

const quoted = (value: string) => JSON.stringify(value);

function throughCodec(codec: Codec, value: string): void {
  const stored = codec.seal(value) as string;
  codec.open(codec.rotate(stored));
  codec.open(Buffer.from(stored));
  attempt(() => codec.open(stored.slice(0, -9)));
}

function throughColumn(codec: Codec, value: string): void {
  const write = new Column({ write: codec });
  const column = new Column({ write: codecs.reseal(ring), read: [codec] });
  for (const outcome of column.resealMany(write.sealMany([value, null, value]) as string[])) {
    if (outcome.outcome === "resealed") column.open(outcome.value);
  }
}

/** A codec of each kind, made when it is first asked for. */
const made = new Map<string, Codec>();
function codecOf(name: string): Codec {
  const codec = made.get(name) ?? makers[name]!("a key of 16 characters or more");
  made.set(name, codec);
  return codec;
}

const makers: Record<string, (secret: string) => Codec> = {
  fernet: (secret) => codecs.fernet({ keys: [`${base64Of(secret, "base64url")}=`] }),
  sentry: (secret) =>
    codecs.sentry({ keys: { a: `${base64Of(secret, "base64url")}=` }, primary: "a" }),
  rails: (secret) =>
    codecs.rails({ primaryKeys: [secret], keyDerivationSalt: secret, compress: false }),
  metabase: (secret) => codecs.metabase({ keys: [secret] }),
  n8n: (secret) => codecs.n8n({ instanceKeys: [secret], expect: "json" }),
  prefixed: (secret) => {
    const value = codecs.N8nDataKey.generate().wrap(secret);
    const row = { id: "a", type: "data_encryption", value, algorithm: "aes-256-gcm" };
    const rows = [{ ...row, status: "active" }];
    return codecs.n8n({ instanceKeys: [secret], rows, write: "prefixed" });
  },
  freeboard: (secret) => codecs.freeboard({ keys: [base64Of(secret, "base64")] }),
};

/** 32 bytes of a secret. */
function base64Of(secret: string, encoding: "base64" | "base64url"): string {
  return Buffer.from(secret.padEnd(32, "=").slice(0, 32)).toString(encoding);
}

test.each(Object.entries(makers))("no key text is left of a codec: %s", (_, make) => {
  const secret = digits(32);
  const codec = make(secret);
  throughCodec(codec, '"x"');
  codec.dispose();
  for (const encoding of ["utf8", "base64", "base64url"] as const) {
    const text = Buffer.from(Buffer.from(secret).toString(encoding));
    expect(found(text.subarray(0, 32)), encoding).toBe(false);
  }
});

test.each(calls)("no plaintext is left: %s", (_, call) => {
  for (const length of [PART_BYTES, 30, 64, 200, 5_000]) {
    const value = digits(length);
    attempt(() => call(value));
    expect(found(Buffer.from(value)), `${length} bytes`).toBe(false);
  }
});

test("no plaintext is left of large values, whose memory is given back", () => {
  for (const [name, call] of calls) {
    const value = digits(300_000);
    attempt(() => call(value));
    const bytes = Buffer.from(value);
    for (const at of [0, 150_000, 299_936]) {
      expect(found(bytes.subarray(at, at + 64)), `${name}, at ${at}`).toBe(false);
    }
  }
  const huge = digits(3_000_000);
  for (const call of [() => ring.seal(huge, {}), () => ring.openMany([ring.seal(huge, {})], {})]) {
    call();
    for (const at of [0, 1_500_000, 2_999_936]) {
      expect(found(Buffer.from(huge).subarray(at, at + 64)), `at ${at}`).toBe(false);
    }
  }
});

test("no key is left after building a ring, and none of its subkeys", () => {
  const key = Key.generate();
  const second = Key.generate("index");
  const [text, secondText] = [key.export(), second.export()];
  const secrets = [
    ...[key, second].map(secretOf),
    ...[text, secondText].map((text) => Buffer.from(text.slice(10))),
    ...["data/rnd", "data/det", "data/hedge"].map((label) => subkey(text, label)),
    subkey(secondText, "index/mac"),
  ];
  key.dispose();
  second.dispose();
  const rings = [
    new Keyring({ primary: text, index: secondText }),
    new Keyring({ decryptOnly: [secondText, text], primary: Key.generate() }),
    Keyring.fromEnv({ RESEAL_PRIMARY_KEY: text, RESEAL_DECRYPT_KEYS: ` ${secondText} ` }),
  ];
  for (const one of rings) one.openString(one.seal("x", {}), {});
  secrets.forEach((secret, i) => expect(found(secret), `secret ${i}`).toBe(false));
});

test("no key is left after it was disposed, however it was made", () => {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const made = [Key.fromBytes("data", bytes), Key.fromBytes("index", bytes), Key.generate("kek")];
  const secrets = made.flatMap((key) => {
    const parsed = Key.parse(key.export());
    const ring =
      key.use === "kek" ? undefined : new Keyring({ decryptOnly: [key, Key.generate()] });
    attempt(() => new Keyring({ primary: Key.generate(), index: key, decryptOnly: [key, key] }));
    ring?.dispose();
    parsed.dispose();
    return [secretOf(key), Buffer.from(key.export().slice(10))];
  });
  attempt(() => Key.parse(`${made[0]!.export()}A`));
  attempt(() => new Keyring({ primary: `"${made[0]!.export()}"` }));
  attempt(() => Keyring.fromEnv({ RESEAL_PRIMARY_KEY: `${made[0]!.export()},` }));
  for (const key of made) key.dispose();
  secrets.forEach((secret, i) => expect(found(secret), `secret ${i}`).toBe(false));
});

test("no key and no passphrase is left of live rings that were disposed", () => {
  const folder = mkdtempSync(join(tmpdir(), "reseal-memory-"));
  const [kek, key] = [Key.generate("kek"), Key.generate()];
  const passphrase = digits(40);
  const secrets = [
    ...[kek, key].flatMap((one) => [secretOf(one), Buffer.from(one.export().slice(10))]),
    Buffer.from(passphrase),
  ];
  const [path, kekFile] = [join(folder, "keyset.json"), join(folder, "kek")];
  writeFileSync(kekFile, kek.export(), { mode: 0o600 });
  const env = { RESEAL_KEYSET: path, RESEAL_KEK: kek.export() };
  const keyset = Keyset.create({ kek });
  keyset.addPassphrase(passphrase);
  keyset.promote(keyset.introduce(key));
  const file = new KeysetFile(path, { kek, passphrase });
  file.create(keyset);
  const live = [
    LiveKeyring.fromKeyset(path, { kek }),
    LiveKeyring.fromKeyset(path, { kekFile }),
    LiveKeyring.fromKeyset(path, { passphrase }),
    LiveKeyring.fromEnv(env),
    LiveKeyring.fromEnv({ RESEAL_PRIMARY_KEY: key.export() }),
  ];
  for (const ring of live) ring.openString(ring.seal("x", {}), {});
  // The old ring goes when a new one comes.
  file.edit((keyset) => {
    keyset.rotate("data", { early: true });
    keyset.disable(key.id);
    keyset.destroy(key.id);
  });
  for (const ring of live) ring.refresh();
  live.pop()!.dispose();
  for (const one of [key, keyset]) one.dispose();
  expect(found(secrets[2]!)).toBe(false);
  writeFileSync(path, "{}");
  for (const ring of live) attempt(() => ring.refresh());
  for (const one of [kek, ...live]) one.dispose();
  rmSync(folder, { recursive: true });
  secrets.forEach((secret, i) => expect(found(secret), `secret ${i}`).toBe(false));
});

test("no key and no passphrase is left of keysets that were disposed", async () => {
  const [kek, key] = [Key.generate("kek"), Key.generate()];
  const passphrase = digits(40);
  const secrets = [
    ...[kek, key].flatMap((one) => [secretOf(one), Buffer.from(one.export().slice(10))]),
    Buffer.from(passphrase),
  ];
  const kekText = kek.export();
  const holders = [Keyset.create({ kek }), Keyset.create({ passphrase })];
  holders[0]!.introduce(key, { label: "a label" });
  holders[0]!.promote(key.id);
  holders[0]!.addPassphrase(passphrase);
  const text = holders[0]!.save();
  holders[0]!.saved(text);
  holders.push(Keyset.load(text, { kek: kekText, passphrase }));
  const provider = new MemoryKekProvider(ring);
  let content = new Uint8Array(0);
  const asked = provider.wrap.bind(provider);
  provider.wrap = (reference, bytes) => ((content = bytes.slice()), asked(reference, bytes));
  holders.push(await Keyset.createAsync({ provider, reference: "keys/app" }));
  holders.push(await Keyset.loadAsync(holders.at(-1)!.save(), { providers: [provider] }));
  secrets.push(Buffer.from(content));
  const texts = holders[2]!.exportKeys();
  expect(texts[key.id]).toBe(key.export());
  holders[2]!.keyring().dispose();
  for (const call of [
    () => Keyset.load(text, { kek: `"${kekText}"` }),
    () => Keyset.load(text, { passphrase: `${passphrase}x` }),
    () => Keyset.load(`${text}x`, { kek, passphrase }),
    () => Keyset.load(text.replace("a label", "another"), { kek, passphrase }),
    () => inspectKeyset(text),
    () => holders[2]!.addPassphrase(passphrase),
    () => holders[2]!.addKek(kekText),
  ]) {
    attempt(call);
  }
  for (const one of [kek, key, ...holders]) one.dispose();
  expect(content).toHaveLength(32);
  secrets.forEach((secret, i) => expect(found(secret), `secret ${i}`).toBe(false));
});

test("no call uses more of the stack than is wiped after it", () => {
  const key = Key.generate();
  const stored = ring.seal("x".repeat(64), context);
  const kek = Key.generate("kek");
  const keyset = Keyset.create({ kek });
  keyset.rotate("data");
  keyset.addPassphrase("x");
  const text = keyset.save();
  const more: [string, () => unknown][] = [
    ["Key.generate", () => Key.generate()],
    ["Key.parse", () => Key.parse(key.export())],
    ["Keyring", () => new Keyring({ primary: key, index: Key.generate("index") })],
    ["fromEnv", () => Keyring.fromEnv({ RESEAL_PRIMARY_KEY: key.export() })],
    ["open", () => ring.open(stored, context)],
    ["Keyset.create", () => Keyset.create({ kek })],
    ["Keyset.create, passphrase", () => Keyset.create({ passphrase: "x" })],
    ["Keyset.load", () => Keyset.load(text, { kek })],
    ["Keyset.load, passphrase", () => Keyset.load(text, { passphrase: "x" })],
    ["introduce", () => keyset.introduce("data")],
    ["promote", () => keyset.promote(keyset.keys().at(-1)!.id)],
    ["addKek", () => keyset.addKek(Key.generate("kek"))],
    ["save", () => keyset.save()],
    ["saved", () => keyset.saved(keyset.save())],
    ["exportKeys", () => keyset.exportKeys()],
    ["keyring", () => keyset.keyring()],
    ["inspectKeyset", () => inspectKeyset(text)],
  ];
  for (const [name, call] of [...calls, ...more]) {
    const memory = bytesOf();
    memory.fill(0xaa, 0, STACK_END);
    attempt(() => call("0123456789".repeat(10)));
    const stack = bytesOf().subarray(0, STACK_END);
    const used = stack.subarray(stack.findIndex((byte) => byte !== 0xaa));
    expect(used.length, name).toBeLessThan(6 * 1024 + 64);
  }
});

test("random bytes of the pool are wiped as they are used", () => {
  const real = crypto.getRandomValues;
  let pool = Buffer.alloc(0);
  crypto.getRandomValues = (into) => {
    const bytes = into as unknown as Uint8Array;
    real.call(crypto, bytes);
    pool = Buffer.from(bytes);
    return into;
  };
  try {
    while (pool.length !== 4096) ring.seal("x", {});
    for (let i = 0; i < 9; i++) ring.seal("x", {});
  } finally {
    crypto.getRandomValues = real;
  }
  expect(found(pool.subarray(0, 4096 - 240))).toBe(true);
  for (let i = 1; i <= 10; i++) {
    const used = pool.subarray(4096 - 24 * i, 4096 - 24 * (i - 1));
    expect(found(used), `draw ${i}`).toBe(false);
  }
});

function digits(length: number): string {
  let text = "";
  while (text.length < length) {
    const random = crypto.getRandomValues(new Uint8Array(Math.min(length - text.length, 65_536)));
    text += Array.from(random, (byte) => byte % 10).join("");
  }
  return text;
}

function bytesOf(): Buffer {
  const exports = instances.find(({ exports }) => "wipe_stack" in exports)!.exports;
  return Buffer.from((exports["memory"] as WebAssembly.Memory).buffer);
}

/** Whether any part of a secret stands anywhere in the memory. */
function found(secret: Uint8Array): boolean {
  const memory = bytesOf();
  const probe = PART_BYTES - STRIDE;
  for (let at = 0; at + probe <= secret.length; at += STRIDE) {
    if (memory.indexOf(secret.subarray(at, at + probe)) >= 0) return true;
  }
  return false;
}

function secretOf(key: Key): Buffer {
  return Buffer.from(key.export().split(".")[2]!, "base64url").subarray(0, 32);
}

function subkey(key_text: string, label: string): Buffer {
  return Buffer.from(outOf(kit({ op: "derive", key_text, label })), "hex");
}

function latin1(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

function attempt(call: () => unknown): void {
  try {
    call();
  } catch {
    // An error is as good: nothing may be left either way.
  }
}
