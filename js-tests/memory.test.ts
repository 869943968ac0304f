// What stays in the module's memory: no plaintext, no key text, no key that was disposed.
import { createCipheriv, pbkdf2Sync, randomBytes } from "node:crypto";
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
  type ColumnType,
  type RailsOptions,
} from "reseal";
import { errorOf, refuses } from "./support.js";
import { outOf, testkitOf } from "./vectors/testkit.mjs";

/** A part of a secret of this length is found wherever it begins. */
const PART_BYTES = 16;
const STRIDE = 4;
const STACK_END = 2 ** 20;

const SECRET = "a key of 16 characters or more";
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

/** A codec of each kind and variant, from one secret. */
const makers: Record<string, (secret: string) => Codec> = {
  fernet: (secret) => codecs.fernet({ keys: [`${base64Of(secret, "base64url")}=`] }),
  sentry: (secret) =>
    codecs.sentry({ keys: { a: `${base64Of(secret, "base64url")}=` }, primary: "a" }),
  "sentry, JSON field": (secret) =>
    codecs.sentry({ keys: { a: `${base64Of(secret, "base64url")}=` }, primary: "a", field: "json" }), // prettier-ignore
  rails: (secret) => railsOf(secret, { compress: false }),
  "rails, compressed": (secret) => railsOf(secret, {}),
  "rails, envelope": (secret) => railsOf(secret, { envelope: true, compress: false }),
  "rails, MessagePack": (secret) => railsOf(secret, { serializer: "message_pack", compress: false }), // prettier-ignore
  "rails, deterministic": (secret) =>
    codecs.rails({ deterministicKeys: [secret], keyDerivationSalt: secret, deterministic: true, compress: false }), // prettier-ignore
  metabase: (secret) => codecs.metabase({ keys: [secret] }),
  "metabase, associated data": (secret) => codecs.metabase({ keys: [secret], aad: "setting.{key}" }), // prettier-ignore
  "metabase, data key": (secret) => {
    const dataKeys = { 1: metabaseRow(secret, Buffer.from(secret.padEnd(32, "=").slice(0, 32))) };
    return codecs.metabase({ keys: [secret], dataKeys });
  },
  n8n: (secret) => codecs.n8n({ instanceKeys: [secret], expect: "json" }),
  "n8n, custom key": (secret) => codecs.n8n({ customKey: secret, expect: "json" }),
  prefixed: (secret) => {
    using key = codecs.N8nDataKey.generate();
    const row = { id: "a", type: "data_encryption", value: key.wrap(secret), algorithm: "aes-256-gcm" }; // prettier-ignore
    const rows = [{ ...row, status: "active" }];
    return codecs.n8n({ instanceKeys: [secret], rows, write: "prefixed" });
  },
  freeboard: (secret) => codecs.freeboard({ keys: [base64Of(secret, "base64")] }),
  "django-fernet": (secret) => codecs.djangoFernet({ secrets: [secret], salts: [secret] }),
  "fernet-fields": (secret) => codecs.fernetFields({ secrets: [secret] }),
  "sqlalchemy-utils": (secret) => codecs.sqlalchemyUtils({ keys: [secret], expect: "json" }),
  "sqlalchemy-utils, GCM": (secret) => codecs.sqlalchemyUtils({ keys: [secret], engine: "aes-gcm" }), // prettier-ignore
};

function railsOf(secret: string, options: Partial<RailsOptions>): Codec {
  return codecs.rails({ primaryKeys: [secret], keyDerivationSalt: secret, ...options });
}

/** A row of `data_encryption_key`, as Metabase wraps it. */
function metabaseRow(secret: string, dataKey: Buffer): Buffer {
  const [kek, nonce] = [pbkdf2Sync(secret, "", 100_000, 64, "sha512"), randomBytes(12)];
  const cipher = createCipheriv("aes-256-gcm", kek.subarray(0, 32), nonce);
  return Buffer.concat([nonce, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]);
}

/** Calls with a plaintext: they come to an end, or to the error that they expect. */
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
  ["a wrong context", (value) => refuses("auth-failed", () => ring.open(ring.seal(value, context), {}))], // prettier-ignore
  ["text that is none", (value) => refuses("invalid-text", () => ring.openString(ring.seal(latin1(`${value}é`), {}), {}))], // prettier-ignore
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
  ["no primary", (value) => refuses("no-primary", () => new Keyring({}).seal(value, context))],
  ["a bad context", (value) => refuses("context-invalid", () => ring.seal(value, { Row: 1 }))],
  ["a lone surrogate", (value) => refuses("invalid-text", () => ring.seal(`${value}\ud800`, {}))],
  ...Object.keys(makers).flatMap((name): [string, (value: string) => unknown][] => [
    [`${name}: seal, open, rotate`, (value) => throughCodec(name, quoted(value))],
    [`${name}: a column`, (value) => throughColumn(name, quoted(value))],
  ]),
  ["reseal: a column, one by one", (value) => oneByOne(codecs.reseal(ring), value)],
  ["a column of bytes", (value) => bytesColumn(Buffer.from(value))],
  ["a column of another type", (value) => refuses("value-invalid", () => typed("date", value))],
  ["a column of integers", (value) => integer(BigInt(`1${value}`), value.length)],
  ["a column of decimals", (value) => typed("decimal", `-${value}.${value}0`)],
  ["a column of JSON", (value) => typed("json", { [value]: [value, { b: value, a: 1.5 }] })],
  ["terms of a column", (value) => terms(value)],
  ["an earlier context", (value) => earlierContext(value)],
  ["a value that was encrypted twice", (value) => encryptedTwice(quoted(value))],
  ["a plaintext that a codec cannot hold", (value) => refuses("codec-read-only", () => codecOf("n8n").seal(`{${value}`))], // prettier-ignore
  ["a plaintext that opens to no JSON", (value) => unexpected(`{${value}`)],
];

const quoted = (value: string) => JSON.stringify(value);

function throughCodec(name: string, value: string): void {
  const [codec, context] = [codecOf(name), { key: "site-url" }];
  const stored = codec.seal(value, { context, binary: isBinary(name) });
  codec.open(codec.rotate(stored as string, { context }), context);
  codec.open(Buffer.from(stored as string), context);
  // Which code it is depends on the format.
  errorOf(() => codec.open(stored.slice(0, -9), context));
}

function throughColumn(name: string, value: string): void {
  const [codec, context, binary] = [codecOf(name), { key: "site-url" }, isBinary(name)];
  const write = new Column({ write: codec, context, binary });
  const column = new Column({ write: codecs.reseal(ring), read: [codec], context, binary });
  for (const outcome of column.resealMany(write.sealMany([value, null, value]) as string[])) {
    if (outcome.outcome === "resealed") column.open(outcome.value);
  }
  const back = new Column({ write: codec, read: [codecs.reseal(ring)], context, binary });
  back.resealMany(column.sealMany([value, value]) as string[]);
}

const isBinary = (name: string) => name.includes("MessagePack");

function oneByOne(codec: Codec, value: string): void {
  const column = new Column({ write: codec, read: [codecOf("fernet")], context });
  const stored = column.seal(value, { id: 1 });
  column.open(stored, { id: 1 });
  column.classify(stored);
  column.reseal(codecOf("fernet").seal(value) as string, { id: 1 });
  refuses("auth-failed", () => column.open(stored, { id: 2 }));
  column.reseal(`${stored.slice(0, 40)}x`, { id: 1 });
}

function bytesColumn(value: Uint8Array): void {
  const column = new Column({ write: codecs.reseal(ring), type: "bytes", binary: true });
  column.openMany(column.sealMany([value, value]) as Uint8Array[]);
}

function typed(type: ColumnType, value: unknown): void {
  const read = [codecs.plain()];
  const column = new Column({ write: codecs.reseal(ring), read, type, mode: "deterministic" });
  column.open(column.seal(value as never));
  column.reseal(typeof value === "object" ? JSON.stringify(value) : String(value));
}

function integer(value: bigint, digits: number): void {
  if (digits < 100_000) typed("integer", value);
  else refuses("value-invalid", () => typed("integer", value));
}

function terms(value: string): void {
  const indexes = [{ index: "i", normalizer: "digits" }] as const;
  const column = new Column({ write: codecs.reseal(ring), indexes, type: "json" });
  column.indexTerm({ value }, "i");
  column.indexTerms([value, 1.5], "i");
}

function earlierContext(value: string): void {
  const write = codecs.reseal(ring);
  const before = new Column({ write, context: { table: "people" } });
  const now = new Column({ write, context, earlierContexts: [{ table: "people" }] });
  now.reopen(before.seal(value));
}

function encryptedTwice(value: string): void {
  const codec = codecOf("fernet");
  const column = new Column({ write: codecs.reseal(ring), read: [codec] });
  const twice = codec.seal(codec.seal(value) as string) as string;
  column.reseal(twice);
  column.unwrapTwice(twice);
  column.keepTwice(twice);
}

function unexpected(value: string): void {
  const stored = codecs.n8n({ instanceKeys: [SECRET] }).seal(value) as string;
  refuses("auth-failed", () => codecOf("n8n").open(stored));
  new Column({ write: codecs.reseal(ring), read: [codecOf("n8n")] }).reseal(stored);
}

/** A codec of each kind, made when it is first asked for. */
const made = new Map<string, Codec>();
function codecOf(name: string): Codec {
  const codec = made.get(name) ?? makers[name]!(SECRET);
  made.set(name, codec);
  return codec;
}

/** 32 bytes of a secret. */
function base64Of(secret: string, encoding: "base64" | "base64url"): string {
  return Buffer.from(secret.padEnd(32, "=").slice(0, 32)).toString(encoding);
}

test.each(Object.entries(makers))("no key text is left of a codec: %s", (name, make) => {
  const secret = digits(32);
  const codec = make(secret);
  const binary = isBinary(name);
  const column = new Column({ write: codec, binary, context: { key: "site-url" } });
  column.open(column.seal('"x"'));
  codec.dispose();
  column.dispose();
  for (const encoding of ["utf8", "base64", "base64url"] as const) {
    const text = Buffer.from(Buffer.from(secret).toString(encoding));
    expect(found(text.subarray(0, 32)), encoding).toBe(false);
  }
});

test("no derived key is left of a codec", () => {
  const secret = digits(32);
  const metabase = pbkdf2Sync(secret, "", 100_000, 64, "sha512");
  const rails = pbkdf2Sync(secret, secret, 65_536, 32, "sha256");
  for (const [name, derived] of [
    ["metabase", metabase],
    ["rails", rails],
  ] as const) {
    const codec = makers[name]!(secret);
    const column = new Column({ write: codec });
    column.open(column.seal("x"));
    codec.dispose();
    column.dispose();
    expect(found(derived), name).toBe(false);
  }
});

test("no data key of n8n is left", () => {
  const secret = digits(32);
  const key = codecs.N8nDataKey.generate();
  const text = key.text();
  const row = { id: "a", type: "data_encryption", value: key.wrap(secret), algorithm: "aes-256-gcm", status: "active" }; // prettier-ignore
  const moved = codecs.rewrapN8nRow(row, [secret], `${secret}x`);
  const again = codecs.N8nDataKey.fromText(text);
  const codec = codecs.n8n({ instanceKeys: [`${secret}x`], rows: [moved], write: "prefixed" });
  codec.open(codec.seal('"x"'));
  const another = { instanceKeys: ["another"], rows: [row], write: "prefixed" } as const;
  refuses("auth-failed", () => codecs.n8n(another));
  for (const one of [key, again, codec]) one.dispose();
  for (const bytes of [Buffer.from(text), Buffer.from(text, "hex"), Buffer.from(secret)]) {
    expect(found(bytes)).toBe(false);
  }
});

test.each(calls)("no plaintext is left: %s", (_, call) => {
  for (const length of [PART_BYTES, 30, 64, 200, 5_000]) {
    const value = digits(length);
    call(value);
    expect(found(Buffer.from(value)), `${length} bytes`).toBe(false);
  }
});

test("no plaintext is left of large values, whose memory is given back", () => {
  for (const [name, call] of calls) {
    const value = digits(300_000);
    call(value);
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
    const twice = { primary: Key.generate(), index: key, decryptOnly: [key, key] };
    const code = key.use === "index" ? "duplicate-key" : "key-wrong-use";
    refuses(code, () => new Keyring(twice));
    ring?.dispose();
    parsed.dispose();
    return [secretOf(key), Buffer.from(key.export().slice(10))];
  });
  refuses("invalid-key", () => Key.parse(`${made[0]!.export()}A`));
  refuses("invalid-key", () => new Keyring({ primary: `"${made[0]!.export()}"` }));
  const env = { RESEAL_PRIMARY_KEY: `${made[0]!.export()},` };
  refuses("invalid-key", () => Keyring.fromEnv(env));
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
  for (const ring of live) refuses("keyset-malformed", () => ring.refresh());
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
  for (const [code, call] of [
    ["invalid-key", () => Keyset.load(text, { kek: `"${kekText}"` })],
    ["kek-mismatch", () => Keyset.load(text, { passphrase: `${passphrase}x` })],
    ["keyset-malformed", () => Keyset.load(`${text}x`, { kek, passphrase })],
    ["keyset-tampered", () => Keyset.load(text.replace("a label", "another"), { kek, passphrase })],
    ["keyset-transition", () => holders[2]!.addPassphrase(passphrase)],
    ["duplicate-key", () => holders[2]!.addKek(kekText)],
  ] as const) {
    refuses(code, call);
  }
  inspectKeyset(text);
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
  keyset.addPassphrase("several words");
  const text = keyset.save();
  const more: [string, () => unknown][] = [
    ["Key.generate", () => Key.generate()],
    ["Key.parse", () => Key.parse(key.export())],
    ["Keyring", () => new Keyring({ primary: key, index: Key.generate("index") })],
    ["fromEnv", () => Keyring.fromEnv({ RESEAL_PRIMARY_KEY: key.export() })],
    ["open", () => ring.open(stored, context)],
    ["Keyset.create", () => Keyset.create({ kek })],
    ["Keyset.create, passphrase", () => Keyset.create({ passphrase: "several words" })],
    ["Keyset.load", () => Keyset.load(text, { kek })],
    ["Keyset.load, passphrase", () => Keyset.load(text, { passphrase: "several words" })],
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
    call("0123456789".repeat(10));
    const stack = bytesOf().subarray(0, STACK_END);
    const used = stack.subarray(stack.findIndex((byte) => byte !== 0xaa));
    expect(used.length, name).toBeLessThan(11 * 1024 + 64);
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

/**
 * Whether any part of a secret stands anywhere in the memory. It is read once for all parts, and what
 * was freed and is zero in words: a part has no four zeros in a row.
 */
function found(secret: Uint8Array): boolean {
  const memory = bytesOf();
  const words = new Uint32Array(memory.buffer);
  const probe = PART_BYTES - STRIDE;
  const [parts, begins] = [new Set<string>(), new Uint8Array(2 ** 16)];
  for (let at = 0; at + probe <= secret.length; at += STRIDE) {
    const part = Buffer.from(secret.subarray(at, at + probe)).toString("latin1");
    if (part.includes("\0\0\0\0")) throw new Error("a secret with zeros is not looked for");
    parts.add(part);
    begins[secret[at]! * 256 + secret[at + 1]!] = 1;
  }
  for (let word = 0; word < words.length; word++) {
    if (words[word] === 0) continue;
    // It is the first whole word of a part that begins here, or up to three bytes before.
    for (let at = Math.max(word * 4 - 3, 0); at <= word * 4; at++) {
      if (!begins[memory[at]! * 256 + memory[at + 1]!]) continue;
      if (parts.has(memory.toString("latin1", at, at + probe))) return true;
    }
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
