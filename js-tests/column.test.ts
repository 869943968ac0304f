// Columns: mixed formats, resealing, refusals, contexts, live rings.
import { beforeEach, describe, expect, test } from "vitest";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  codecs,
  Column,
  Key,
  Keyring,
  Keyset,
  KeysetFile,
  LiveKeyring,
  ResealError,
  type ColumnOptions,
  type ErrorCode,
  type Resealing,
} from "reseal";
import { refuses } from "./support.js";

const OLD_KEY = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
const context = { table: "users", column: "ssn" };
const [oldKey, key] = [Key.generate(), Key.generate()];
const ring = new Keyring({ primary: key, decryptOnly: [oldKey] });
const app = codecs.reseal(ring, { name: "app" });
const fernet = codecs.fernet({ keys: [OLD_KEY], name: "fernet_old" });
const rails = codecs.rails({ primaryKeys: ["k"], keyDerivationSalt: "s" });
const plain = codecs.plain();
const column = new Column({ write: app, read: [fernet, rails, plain], context });
const SSN = "078-05-1120";

/** The value of what was resealed; anything else fails. */
function resealed(outcome: Resealing): Extract<Resealing, { outcome: "resealed" }> {
  if (outcome.outcome !== "resealed") throw new Error(`${JSON.stringify(outcome)}`);
  return outcome;
}

test("every format is read, and one is written", () => {
  const under = new Keyring({ primary: oldKey }).seal(SSN, { ...context, row: 1 });
  const stored = { plain: SSN, fernet_old: fernet.seal(SSN), rails: rails.seal(SSN), app: under };
  for (const [name, value] of Object.entries(stored)) {
    expect(column.open(value, { row: 1 })).toMatchObject({
      value: SSN,
      codec: name,
      earlier: false,
    });
    const { value: after, from, to } = resealed(column.reseal(value, { row: 1 }));
    expect(from.codec).toBe(name);
    expect(to).toEqual({ codec: "app", key: key.id, scheme: "random" });
    expect(column.open(after, { row: 1 })).toEqual({
      value: SSN,
      codec: "app",
      key: key.id,
      scheme: "random",
      current: true,
      trust: "authenticated",
      earlier: false,
      doubled: undefined,
    });
    expect(column.reseal(after, { row: 1 })).toEqual({ outcome: "current" });
    expect(column.reopen(after, { row: 1 })).toEqual({ outcome: "current" });
    refuses("auth-failed", () => column.open(after, { row: 2 }));
  }
});

test("what is told of a value is what it shows", () => {
  expect(column.classify(null)).toMatchObject({ null: true, codec: undefined });
  expect(column.classify(SSN)).toMatchObject({ null: false, codec: "plain", certainty: "maybe" });
  expect(column.classify(fernet.seal("x"))).toMatchObject({
    codec: "fernet_old",
    certainty: "yes",
  });
  expect(column.classify(ring.seal("x", {}))).toEqual({ codec: "app", key: key.id, scheme: "random", certainty: "yes", null: false }); // prettier-ignore
  const strict = new Column({ write: app });
  expect(strict.classify(SSN)).toEqual({ codec: undefined, key: undefined, scheme: undefined, certainty: undefined, null: false }); // prettier-ignore
  refuses("format-mismatch", () => strict.open(SSN));
  const results = column.classifyMany([SSN, null, 1 as never]);
  expect(results[2]).toBeInstanceOf(ResealError);
  expect(results.slice(0, 2)).toMatchObject([{ codec: "plain" }, { null: true }]);
});

test("a foreign ciphertext that does not open is no plaintext", () => {
  const other = codecs.fernet({ keys: ["fn1e6PrRXKIvPkwnZGcFUouLeIEFe45dsK-C-nvMaoc="] });
  const stored = other.seal("x");
  refuses("auth-failed", () => column.open(stored));
  expect(column.reseal(stored)).toMatchObject({ outcome: "refused", code: "auth-failed" });
  refuses("malformed", () => column.open(ring.seal("x", context).slice(0, 60)));
});

test("whatever is wrong with a value is an outcome", () => {
  const refused = (outcome: Resealing) => (outcome.outcome === "refused" ? outcome.code : outcome);
  expect(column.reseal(null)).toEqual({ outcome: "null" });
  expect(refused(column.reseal(1 as never))).toBe("invalid-argument");
  expect(refused(column.reseal(undefined as never))).toBe("invalid-argument");
  expect(refused(column.reseal("\ud800"))).toBe("invalid-text");
  expect(refused(column.reseal(SSN, { Row: 1 }))).toBe("context-invalid");
  expect(refused(column.reseal(SSN, { row: 1.5 }))).toBe("context-invalid");
  expect(refused(column.reseal(SSN, { table: "twice" }))).toBe("context-invalid");
  expect(refused(column.reseal("x".repeat(2 ** 26 + 1)))).toBe("too-large");
  const many = column.resealMany([SSN, null, 1 as never, ring.seal("x", {}).slice(0, 60), SSN], {
    rows: [1, 2, 3, 4, 1.5],
  });
  expect(many.map(({ outcome }) => outcome)).toEqual(["resealed", "null", "refused", "refused", "refused"]); // prettier-ignore
  for (const outcome of many) expect(JSON.stringify(outcome)).not.toContain(SSN);
});

test("a value that was encrypted twice is repaired by itself", () => {
  const twice = fernet.seal(rails.seal(SSN));
  expect(column.open(twice).doubled).toBe("rails");
  expect(column.reseal(twice)).toMatchObject({ outcome: "refused", code: "double-encrypted" });
  const once = column.unwrapTwice(twice, { row: 1 });
  expect(column.open(once, { row: 1 })).toMatchObject({ value: SSN, codec: "app" });
  refuses("format-mismatch", () => column.unwrapTwice(once, { row: 1 }));
  const kept = column.keepTwice(twice, { row: 1 });
  expect(column.open(kept, { row: 1 })).toMatchObject({ codec: "app", doubled: "rails" });
  expect(column.reseal(kept, { row: 1 })).toEqual({ outcome: "current" });
});

test("an earlier context is found, and reopen brings the present one", () => {
  const before = new Column({ write: app, context: { table: "people", column: "ssn" } });
  const now = new Column({ write: app, context, earlierContexts: [{ table: "people", column: "ssn" }] }); // prettier-ignore
  const stored = before.seal(SSN, { row: 1 });
  expect(now.open(stored, { row: 1 })).toMatchObject({ value: SSN, earlier: true });
  expect(now.reseal(stored, { row: 1 })).toEqual({ outcome: "current" });
  const { value } = resealed(now.reopen(stored, { row: 1 }));
  expect(now.open(value, { row: 1 }).earlier).toBe(false);
  const both = now.reopenMany([stored, null, value], { rows: [1, 2, 1] });
  expect(both.map(({ outcome }) => outcome)).toEqual(["resealed", "null", "current"]);
});

test("the form of a value stays", () => {
  const binary = new Column({ write: app, read: [plain], binary: true, context });
  const stored = binary.seal(SSN, { row: 1 });
  expect(stored).toBeInstanceOf(Uint8Array);
  expect(binary.open(Buffer.from(stored), { row: 1 }).value).toBe(SSN);
  expect(resealed(binary.reseal(Buffer.from(SSN))).value).toBeInstanceOf(Uint8Array);
  expect(typeof resealed(column.reseal(SSN)).value).toBe("string");
});

test("modes: resealed where another mode sealed", () => {
  const equal = new Column({ write: app, context, mode: "deterministic" });
  const random = column.seal(SSN);
  const { value } = resealed(equal.reseal(random));
  expect(value).toBe(equal.seal(SSN));
  expect(equal.reseal(value)).toEqual({ outcome: "current" });
});

test("batches give what single calls give, of 5,000 values", () => {
  const values = Array.from({ length: 5000 }, (_, i) => (i % 7 === 0 ? null : `value ${i}`));
  const rows = values.map((_, row) => row);
  const stored = column.sealMany(values, { rows }) as (string | null)[];
  expect(stored.map((one) => one === null)).toEqual(values.map((one) => one === null));
  const opened = column.openMany(stored, { rows });
  expect(opened.map((one) => (one === null ? null : (one as { value: string }).value))).toEqual(values); // prettier-ignore
  const contexts = rows.map((row) => ({ row }));
  const again = column.resealMany(stored, { contexts });
  expect(new Set(again.map(({ outcome }) => outcome))).toEqual(new Set(["null", "current"]));
  const some = column.openMany([stored[1]!, SSN, stored[2]!], { rows: [1, 1, 1] });
  expect(some[2]).toMatchObject({ code: "auth-failed" });
  expect(some[1]).toMatchObject({ value: SSN });
});

test("batches: values that cannot be packed stand between the others", () => {
  const large = "x".repeat(300_000);
  const values = ["a", 1, null, large, "\ud800", "b", Symbol("s")] as never[];
  const stored = column.sealMany(values) as string[];
  expect(stored.map((one) => (one as unknown as ResealError)?.code ?? typeof one)).toEqual(["string", "invalid-argument", "object", "string", "invalid-text", "string", "invalid-argument"]); // prettier-ignore
  expect(column.open(stored[3]!).value).toBe(large);
  expect(column.open(stored[5]!).value).toBe("b");
  expect(column.openMany([])).toEqual([]);
  refuses("invalid-argument", () => column.openMany(["x"], { rows: [1, 2] }));
  refuses("invalid-argument", () => column.openMany("x" as never));
  refuses("invalid-argument", () => column.sealMany(["x"], { row: 1 } as never));
});

test("of two errors, that of the context comes first in sealing, and that of the value in opening", () => {
  const index = { index: "ssn_eq" };
  const keys = new Keyring({ primary: key, index: Key.generate("index") });
  const write = codecs.reseal(keys);
  const made = new Column({ write, mode: "deterministic", indexes: [index] });
  for (const facts of [{ A: 1 }, { a: 1.5 }]) {
    for (const value of ["\ud800", 5] as never[]) {
      refuses("context-invalid", () => made.seal(value, facts));
      refuses("context-invalid", () => made.indexTerm(value, "ssn_eq", facts));
      refuses("context-invalid", () => made.indexTerms(value, "ssn_eq", facts));
      refuses("context-invalid", () => made.lookupValues(value, facts));
      const many = made.sealMany([value, "a"], { contexts: [facts, {}] });
      expect(many[0]).toMatchObject({ code: "context-invalid" });
      expect(many[1]).toBe(made.seal("a"));
    }
    for (const [stored, code] of [
      ["\ud800", "invalid-text"],
      [5, "invalid-argument"],
    ] as [never, ErrorCode][]) {
      refuses(code, () => made.open(stored, facts));
      refuses(code, () => made.keepTwice(stored, facts));
      refuses(code, () => made.unwrapTwice(stored, facts));
      expect(made.reseal(stored, facts)).toMatchObject({ outcome: "refused", code });
      expect(made.reopen(stored, facts)).toMatchObject({ outcome: "refused", code });
      const many = made.openMany([stored, made.seal("a")], { contexts: [facts, {}] });
      expect(many).toMatchObject([{ code }, { value: "a" }]);
    }
  }
  for (const value of ["\ud800", 5] as never[]) {
    const code = value === 5 ? "invalid-argument" : "invalid-text";
    for (const facts of [undefined, { a: 1 }]) {
      refuses(code, () => made.seal(value, facts));
      refuses(code, () => made.indexTerm(value, "ssn_eq", facts));
      refuses(code, () => made.lookupValues(value, facts));
    }
  }
});

test("what a column is made of is checked", () => {
  const make = (options: object) => () => new Column(options as ColumnOptions);
  refuses("invalid-argument", make({}));
  refuses("invalid-argument", make({ write: ring }));
  refuses("invalid-argument", make({ write: app, read: [ring] }));
  refuses("invalid-argument", make({ write: app, read: app }));
  refuses("invalid-argument", make({ write: app, type: "varchar" }));
  refuses("invalid-argument", make({ write: app, mode: "x" }));
  refuses("invalid-argument", make({ write: app, binary: 1 }));
  refuses("invalid-argument", make({ write: app, writes: app }));
  refuses("context-invalid", make({ write: app, context: { Table: 1 } }));
  refuses("context-invalid", make({ write: app, earlierContexts: [1] }));
  const twin = codecs.plain({ name: "app" });
  const error = refuses("invalid-argument", make({ write: app, read: [twin] }));
  expect(error.message).toContain("app");
  expect(() => new Column({ write: app, read: [app, plain] })).not.toThrow();
});

test("a column that was disposed is used no more, and its codecs are", () => {
  const short = new Column({ write: app, read: [plain] });
  short.dispose();
  refuses("invalid-argument", () => short.open(SSN));
  refuses("invalid-argument", () => short.seal(SSN));
  expect(codecs.plain().open("x").plaintext.length).toBe(1);
  const own = codecs.fernet({ keys: [OLD_KEY] });
  const other = new Column({ write: own });
  own.dispose();
  expect(other.open(other.seal("x")).value).toBe("x");
});

test("a ring that was disposed opens nothing; plaintext is read all the same", () => {
  const gone = new Keyring({ primary: Key.generate() });
  const one = new Column({ write: codecs.reseal(gone), read: [plain] });
  const stored = one.seal(SSN);
  gone.dispose();
  refuses("invalid-argument", () => one.open(stored));
  refuses("invalid-argument", () => one.seal(SSN));
  expect(one.open(SSN).value).toBe(SSN);
  expect(one.reseal(SSN)).toMatchObject({ outcome: "refused", code: "invalid-argument" });
});

describe("a codec that is disposed of leaves its columns working", () => {
  const indexed = new Keyring({ primary: key, index: Key.generate("index") });
  const made = () => {
    const write = codecs.reseal(indexed);
    try {
      return new Column({ write, read: [plain], context, indexes: [{ index: "ssn_eq" }] });
    } finally {
      write.dispose();
    }
  };
  const stored = indexed.seal(SSN, context);

  test.each<[string, (column: ReturnType<typeof made>) => unknown, unknown]>([
    ["seal", (it) => it.open(it.seal(SSN)).value, SSN],
    ["sealMany", (it) => it.openMany(it.sealMany([SSN, null]) as (string | null)[]), [{ value: SSN }, null]],
    ["open", (it) => it.open(stored).value, SSN],
    ["openMany", (it) => it.openMany([stored]), [{ value: SSN }]],
    ["reseal", (it) => it.reseal(SSN), { outcome: "resealed" }],
    ["resealMany", (it) => it.resealMany([stored, null]), [{ outcome: "current" }, { outcome: "null" }]],
    ["reopen", (it) => it.reopen(stored), { outcome: "current" }],
    ["classify", (it) => it.classify(stored), { codec: "reseal", certainty: "yes" }],
    ["indexTerm", (it) => it.indexTerms(SSN, "ssn_eq")!.length, 1],
  ])("%s, as the first use and later", (_, use, expected) => {
    const column = made();
    for (let i = 0; i < 2; i++) {
      const found = use(column);
      if (typeof expected === "object") expect(found).toMatchObject(expected!);
      else expect(found).toBe(expected);
    }
  }); // prettier-ignore

  test("and is refused itself", () => {
    const codec = codecs.reseal(indexed);
    const after = new Column({ write: codec });
    const value = codec.seal("x");
    codec.dispose();
    for (const call of [
      () => codec.seal("x"),
      () => codec.open(value),
      () => codec.rotate(value),
      () => codec.isCurrent(value),
      () => new Column({ write: codec }),
    ]) {
      refuses("invalid-argument", call);
    }
    expect(after.open(value).value).toBe("x");
    after.dispose();
    refuses("invalid-argument", () => after.open(value));
  });

  test("also where it is disposed of by what its own call runs", () => {
    let dispose = () => {};
    const env = { RESEAL_PRIMARY_KEY: key.export() };
    const clock = () => {
      dispose();
      return 0;
    };
    for (const call of [
      (codec: codecs.Codec) => codec.seal("x"),
      (codec: codecs.Codec) => codec.open(stored, context),
      (codec: codecs.Codec) => codec.rotate(stored, { context }),
      (codec: codecs.Codec) => codec.isCurrent(stored),
    ]) {
      const codec = codecs.reseal(LiveKeyring.fromEnv(env, { clock }));
      dispose = () => codec.dispose();
      refuses("invalid-argument", () => call(codec));
    }
    const codec = codecs.reseal(indexed);
    const index = {
      get index() {
        codec.dispose();
        return "ssn_eq";
      },
    };
    refuses("invalid-argument", () => new Column({ write: codec, indexes: [index] }));
  });

  test("and so do its keyring and its columns among each other", () => {
    const codec = codecs.reseal(indexed);
    const [first, second] = [new Column({ write: codec }), new Column({ write: codec })];
    codec.dispose();
    first.dispose();
    expect(second.open(second.seal(SSN)).value).toBe(SSN);
  });
});

describe("over a live keyring", () => {
  const kek = Key.generate("kek");
  let folder = "";
  let now = 0;
  let file: KeysetFile;
  let live: LiveKeyring;
  let following: Column;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "reseal-column-"));
    now = 0;
    file = new KeysetFile(join(folder, "ring.json"), { kek });
    const keyset = Keyset.create({ kek, leaseSeconds: 60 });
    keyset.rotate("data");
    file.create(keyset);
    const options = { kek, checkSeconds: 10, reloadSeconds: 1, clock: () => now };
    live = LiveKeyring.fromKeyset(join(folder, "ring.json"), options);
    following = new Column({ write: codecs.reseal(live), read: [plain], context });
    return () => rmSync(folder, { recursive: true });
  });

  test("it seals under the key of now, and what was current is resealed", () => {
    const stored = following.seal(SSN);
    expect(following.reseal(stored)).toEqual({ outcome: "current" });
    const id = file.edit((keyset) => keyset.rotate("data", { early: true }));
    now = 11;
    const { to } = resealed(following.reseal(stored));
    expect(to.key).toBe(id);
    expect(following.open(stored)).toMatchObject({ value: SSN, current: false });
  });

  test("an unknown key makes it look at once", () => {
    expect(following.open(following.seal(SSN)).value).toBe(SSN);
    file.edit((keyset) => keyset.rotate("data", { early: true }));
    const elsewhere = Keyring.fromKeyset(join(folder, "ring.json"), { kek });
    const stored = elsewhere.seal(SSN, context);
    now = 5;
    expect(following.open(stored).value).toBe(SSN);
    file.edit((keyset) => keyset.rotate("data", { early: true }));
    const newer = Keyring.fromKeyset(join(folder, "ring.json"), { kek }).seal(SSN, context);
    now = 9;
    expect(following.openMany([newer, stored])).toMatchObject([{ value: SSN }, { value: SSN }]);
  });

  test("a rotation reaches the columns of a codec that was disposed of", () => {
    const codec = codecs.reseal(live);
    const column = new Column({ write: codec, read: [plain], context });
    codec.dispose();
    const stored = column.seal(SSN);
    const id = file.edit((keyset) => keyset.rotate("data", { early: true }));
    const newer = Keyring.fromKeyset(join(folder, "ring.json"), { kek }).seal(SSN, context);
    now = 5;
    expect(column.openMany([newer, stored])).toMatchObject([{ value: SSN }, { value: SSN }]);
    expect(resealed(column.reseal(stored)).to.key).toBe(id);
    rmSync(join(folder, "ring.json"));
    now = 100;
    refuses("ring-stale", () => column.sealMany([SSN]));
    expect(column.reseal(SSN)).toMatchObject({ outcome: "refused", code: "ring-stale" });
    expect(column.open(stored).value).toBe(SSN);
  });

  test("without its source it opens, and after the lease seals nothing", () => {
    const stored = following.seal(SSN);
    rmSync(join(folder, "ring.json"));
    now = 61;
    refuses("ring-stale", () => following.seal(SSN));
    refuses("ring-stale", () => following.sealMany([SSN]));
    expect(following.open(stored).value).toBe(SSN);
    expect(following.reseal(SSN)).toMatchObject({ outcome: "refused", code: "ring-stale" });
    expect(following.reseal(stored)).toEqual({ outcome: "current" });
    refuses("ring-stale", () => codecs.reseal(live).seal("x"));
  });

  test("a source that was never there is told of, and plaintext is read", () => {
    rmSync(join(folder, "ring.json"));
    refuses("source-unreadable", () => following.seal(SSN));
    refuses("source-unreadable", () => following.open(ring.seal(SSN, context)));
    expect(following.open(SSN).value).toBe(SSN);
    expect(following.reseal(SSN)).toMatchObject({ code: "source-unreadable" });
  });

  test("a clock that throws, or uses the column, does no harm", () => {
    const inner = following.seal(SSN);
    let calls = 0;
    const clock = () => {
      if (calls++ === 3) following.open(inner);
      return now;
    };
    const options = { kek, checkSeconds: 0, clock };
    const second = LiveKeyring.fromKeyset(join(folder, "ring.json"), options);
    const both = new Column({ write: codecs.reseal(second, { name: "second" }), read: [codecs.reseal(live)], context }); // prettier-ignore
    for (let i = 0; i < 5; i++) expect(both.open(inner).value).toBe(SSN);
    expect(calls).toBeGreaterThan(4);
    const broken = LiveKeyring.fromKeyset(join(folder, "ring.json"), {
      kek,
      clock: () => {
        throw new RangeError("the clock");
      },
    });
    const one = new Column({ write: codecs.reseal(broken), read: [plain] });
    expect(() => one.open(SSN)).toThrow(RangeError);
    expect(() => one.reseal(SSN)).toThrow(RangeError);
  });
});

describe("plaintext", () => {
  const names = ["plain_here", "sentry_here"] as const;
  const writers = [
    codecs.plain({ name: names[0] }),
    codecs.sentry({ keys: { k: OLD_KEY }, primary: "k", method: "plaintext", name: names[1] }),
  ];
  const variable = "RESEAL_REQUIRE_ENCRYPTION";

  test("is warned of where it is written", async () => {
    const warnings: Error[] = [];
    const keep = (warning: Error) => warnings.push(warning);
    process.on("warning", keep);
    for (const write of [...writers, ...writers]) new Column({ write });
    new Column({ write: app, read: writers });
    await new Promise(setImmediate);
    process.off("warning", keep);
    expect(warnings.map(({ name, message }) => [name, message])).toEqual(
      names.map((name) => [
        "PlaintextWarning",
        `a column writes plaintext (codec ${name}): whoever sees the database reads its values`,
      ]),
    );
  });

  test("is refused where encryption is required", () => {
    for (const [said, isRefused] of [
      ["1", true],
      ["no", true],
      ["0", false],
      [" ", false],
    ] as const) {
      // prettier-ignore
      process.env[variable] = said;
      try {
        for (const write of writers) {
          const make = () => new Column({ write });
          if (isRefused) refuses("encryption-required", make);
          else make();
        }
        expect(new Column({ write: app, read: writers }).open("x").codec).toBe(names[0]);
      } finally {
        delete process.env[variable];
      }
    }
  });
});
