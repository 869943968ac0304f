// The codecs: options, refusals, rotation, what they show; what they write, read by other code.
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { codecs, Key, Keyring, ResealError, type Codec } from "reseal";
import { refuses } from "./support.js";

const FERNET = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
const OTHER_FERNET = "fn1e6PrRXKIvPkwnZGcFUouLeIEFe45dsK-C-nvMaoc=";
const FREEBOARD = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const METABASE = "a secret of Metabase, as long as it likes";
const JSON_VALUE = '{"token":"secret-token"}';

const ring = new Keyring({ primary: Key.generate() });
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

/** One codec of each kind. */
const all: Record<string, Codec> = {
  plain: codecs.plain(),
  reseal: codecs.reseal(ring),
  fernet: codecs.fernet({ keys: [FERNET] }),
  sentry: codecs.sentry({ keys: { a: FERNET }, primary: "a" }),
  rails: codecs.rails({ primaryKeys: ["a key"], keyDerivationSalt: "a salt" }),
  metabase: codecs.metabase({ keys: [METABASE] }),
  n8n: codecs.n8n({ instanceKeys: ["a key"], expect: "json" }),
  freeboard: codecs.freeboard({ keys: [FREEBOARD] }),
  "django-fernet": codecs.djangoFernet({ secrets: ["a secret"], salts: ["a salt"] }),
  "fernet-fields": codecs.fernetFields({ secrets: ["a secret"] }),
  "sqlalchemy-utils": codecs.sqlalchemyUtils({ keys: ["a key"], expect: "json" }),
};

describe.each(Object.entries(all))("%s", (kind, codec) => {
  test("has a kind and a name, and shows no more", () => {
    expect([codec.kind, codec.name]).toEqual([kind, kind]);
    for (const shown of [inspect(codec), String(codec), JSON.parse(JSON.stringify(codec))]) {
      expect(shown).toBe(`Codec(${kind}, ${kind})`);
    }
    expect(Object.keys(codec).sort()).toEqual(["kind", "name"]);
    expect(JSON.stringify(structuredClone({ ...codec }))).not.toMatch(/key/);
  });

  test.each([false, true])("what it seals it opens, binary %s", (binary) => {
    const context = { row: 42 };
    const stored = codec.seal(JSON_VALUE, { context, binary });
    expect(typeof stored).toBe(binary ? "object" : "string");
    const opened = codec.open(stored, context);
    expect(text(opened.plaintext)).toBe(JSON_VALUE);
    const trust =
      { n8n: "checked", plain: "plain", "sqlalchemy-utils": "checked" }[kind] ?? "authenticated";
    expect([opened.current, opened.trust]).toEqual([true, trust]);
    expect(opened.plaintext.buffer.byteLength).toBe(JSON_VALUE.length);
    expect(codec.recognize(stored)).toBeDefined();
    expect([true, undefined]).toContain(codec.isCurrent(stored));
    const rotated = codec.rotate(stored, { context });
    expect(typeof rotated).toBe(typeof stored);
    expect(text(codec.open(rotated, context).plaintext)).toBe(JSON_VALUE);
  });

  test("any kind of value ends in a result or an error of this package", () => {
    for (const stored of ["", "x", "{}", "rs1.x", "gAAAAA", "enc:", "\0", new Uint8Array(64)]) {
      for (const call of [() => codec.recognize(stored), () => codec.open(stored)]) {
        try {
          call();
        } catch (error) {
          expect(error).toBeInstanceOf(ResealError);
        }
      }
    }
    for (const bad of [null, undefined, 1, {}, []]) {
      refuses("invalid-argument", () => codec.open(bad as never));
      refuses("invalid-argument", () => codec.recognize(bad as never));
      refuses("invalid-argument", () => codec.isCurrent(bad as never));
    }
    refuses("invalid-text", () => codec.open("\ud800"));
    refuses("context-invalid", () => codec.open("x", { Row: 1 }));
    refuses("invalid-argument", () => codec.seal("x", { modes: "random" } as never));
    refuses("invalid-argument", () => codec.seal("x", { mode: "r" as never }));
  });
});

test("each value is seen by its kind, the surest first", () => {
  const seen = (stored: string | Uint8Array) =>
    codecs.recognize(stored).map(({ kind, certainty }) => `${kind} ${certainty}`);
  expect(seen(ring.seal("x", {}))).toEqual(["reseal yes", "plain maybe"]);
  expect(seen(all["fernet"]!.seal("x"))[0]).toBe("fernet yes");
  expect(seen(all["sentry"]!.seal("x"))[0]).toBe("sentry yes");
  expect(seen(all["rails"]!.seal("x"))[0]).toBe("rails yes");
  expect(seen(all["n8n"]!.seal("{}"))[0]).toBe("n8n yes");
  expect(seen(all["freeboard"]!.seal("{}"))[0]).toBe("freeboard yes");
  expect(seen(all["metabase"]!.seal("x"))).toContain("metabase maybe");
  // A token does not show which library derived its key.
  for (const kind of ["django-fernet", "fernet-fields"]) {
    expect(seen(all[kind]!.seal("x"))).toEqual(["fernet yes", "plain maybe"]);
  }
  expect(seen(all["sqlalchemy-utils"]!.seal("{}"))[0]).toBe("sqlalchemy-utils maybe");
  expect(seen("hello")).toEqual(["plain maybe"]);
  const [first] = codecs.recognize(ring.seal("x", {}));
  expect(first).toEqual({
    kind: "reseal",
    certainty: "yes",
    scheme: "random",
    key: ring.primaryId,
  });
});

test("a codec has another name where it is given", () => {
  expect(codecs.plain({ name: "before" }).name).toBe("before");
  expect(codecs.fernet({ keys: [FERNET], name: "é" }).name).toBe("é");
  for (const name of ["", "x".repeat(65), 1, "\ud800"]) {
    refuses("invalid-argument", () => codecs.plain({ name: name as never }));
  }
});

test("an option that nothing reads is refused", () => {
  refuses("invalid-argument", () => codecs.plain({ key: "x" } as never));
  refuses("invalid-argument", () => codecs.fernet({ keys: [FERNET], primary: "x" } as never));
  refuses("invalid-argument", () => codecs.rails({ primaryKey: "x" } as never));
  refuses("invalid-argument", () => codecs.n8n({ instanceKey: "x" } as never));
  refuses("invalid-argument", () => codecs.reseal({} as never));
  refuses("invalid-argument", () => codecs.fernet(undefined as never));
  refuses("invalid-argument", () => new (codecs.Codec as never as new () => Codec)());
});

test("bad keys are refused, and no message repeats them", () => {
  const secret = "a-very-secret-but-wrong-key-text";
  const errors = [
    refuses("invalid-key", () => codecs.fernet({ keys: [FERNET, secret] })),
    refuses("invalid-key", () => codecs.sentry({ keys: { a: secret }, primary: "a" })),
    refuses("invalid-key", () => codecs.freeboard({ keys: [secret] })),
    refuses("invalid-key", () => codecs.metabase({ keys: ["short secret"] })),
    refuses("invalid-key", () => codecs.rails({ primaryKeys: [" "], keyDerivationSalt: secret })),
    refuses("duplicate-key", () => codecs.n8n({ instanceKeys: [secret, secret] })),
    refuses("invalid-key", () => codecs.n8n({ instanceKeys: [""] })),
    refuses("invalid-argument", () => codecs.fernet({ keys: [] })),
    refuses("invalid-key", () => codecs.fernetFields({ secrets: [secret], hkdf: false })),
    refuses("invalid-argument", () => codecs.fernetFields({ secrets: [secret], prefix: "x", hkdf: false })), // prettier-ignore
    refuses("invalid-argument", () => codecs.djangoFernet({ secrets: [secret], salts: [] })),
    refuses("invalid-argument", () => codecs.djangoCryptography({ secrets: [secret], field: "date" as never })), // prettier-ignore
    refuses("invalid-key", () => codecs.djangoCryptography({ secrets: [secret, ""] })),
    refuses("invalid-key", () => codecs.djangoCryptography({ secrets: [secret], fieldKeys: [new Uint8Array(31)] })), // prettier-ignore
    refuses("invalid-argument", () => codecs.djangoCryptography({ secrets: [secret], fieldKeys: ["x" as never] })), // prettier-ignore
    refuses("invalid-argument", () => codecs.djangoCryptography({ secrets: [secret], fieldKeys: [new Uint8Array(32)], salt: "x" })), // prettier-ignore
    refuses("format-unsupported", () => codecs.djangoCryptography({ secrets: [secret], digest: "sm3" as never })), // prettier-ignore
    refuses("invalid-argument", () => codecs.sqlalchemyUtils({ keys: [secret], engine: "des" as never })), // prettier-ignore
    refuses("invalid-argument", () => codecs.sqlalchemyUtils({ keys: [secret], engine: "fernet", padding: "zeroes" })), // prettier-ignore
    refuses("invalid-argument", () => codecs.sqlalchemyUtils({ keys: [secret], engine: "fernet", expect: "utf8" })), // prettier-ignore
    refuses("invalid-argument", () => codecs.fernet({ keys: [1 as never] })),
    refuses("invalid-argument", () => codecs.fernet({ keys: secret as never })),
    refuses("invalid-argument", () => codecs.sentry({ keys: { a: FERNET }, primary: "b" })),
    refuses("invalid-argument", () => codecs.rails({ primaryKeys: [secret] } as never)),
    refuses("invalid-argument", () => codecs.n8n({ customKey: secret, instanceKeys: [secret] })),
    refuses("invalid-argument", () => codecs.metabase({ keys: [METABASE], dataKeys: { x: new Uint8Array(1) } as never })), // prettier-ignore
    refuses("invalid-key", () => codecs.metabase({ keys: [METABASE], dataKeys: { 1: new Uint8Array(60) } })), // prettier-ignore
    refuses("invalid-argument", () => codecs.metabase({ keys: [METABASE], dataKeys: new Map([[1, new Uint8Array(60)]]) as never })), // prettier-ignore
    refuses("invalid-argument", () => codecs.metabase({ keys: [METABASE], dataKeys: [new Uint8Array(60)] as never })), // prettier-ignore
  ];
  for (const error of errors) expect(inspect(error, { showHidden: true })).not.toContain(secret);
});

test("the first key seals, all of them open", () => {
  const old = codecs.fernet({ keys: [FERNET] });
  const both = codecs.fernet({ keys: [OTHER_FERNET, FERNET] });
  const stored = old.seal("x", { now: 1_700_000_000 });
  expect(both.open(stored)).toMatchObject({ key: "2", current: false });
  const rotated = both.rotate(stored) as string;
  expect(both.open(rotated)).toMatchObject({ key: "1", current: true });
  // The time of the token stays.
  const head = (token: string) => Buffer.from(token, "base64url").subarray(0, 9).toString("hex");
  expect(head(rotated)).toBe(head(stored as string));
  expect(head(stored as string)).toBe("80" + (1_700_000_000).toString(16).padStart(16, "0"));
  refuses("auth-failed", () => old.open(rotated));
  refuses("format-mismatch", () => old.open("hello"));
  refuses("malformed", () => old.open("gAAAAAoops"));
});

test("Sentry names its keys, and JSON fields hold JSON", () => {
  const keys = { "2024": FERNET, "2025": OTHER_FERNET };
  const before = codecs.sentry({ keys, primary: "2024" });
  const now = codecs.sentry({ keys, primary: "2025", field: "json" });
  const stored = before.seal("x") as string;
  expect(stored).toMatch(/^enc:fernet:2024:/);
  expect(before.recognize(stored)).toMatchObject({ certainty: "yes", key: "2024" });
  expect(JSON.parse(now.seal(JSON_VALUE) as string)).toHaveProperty("sentry_encrypted_field_value");
  refuses("codec-read-only", () => now.seal("no json"));
  const missing = codecs.sentry({ keys: { "2025": OTHER_FERNET }, primary: "2025" });
  refuses("unknown-key", () => missing.open(stored));
  const plain = codecs.sentry({ keys, primary: "2024", method: "plaintext" });
  expect(plain.seal("hello")).toBe("enc:plaintext:aGVsbG8=");
});

test("a key id of any length leaves the plaintext what it is", () => {
  for (const length of [255, 32_768, 32_769, 65_529, 65_535, 65_536]) {
    const id = "k".repeat(length);
    const codec = codecs.sentry({ keys: { [id]: FERNET }, primary: id });
    const opened = codec.open(codec.seal("plaintext"));
    expect(new TextDecoder().decode(opened.plaintext)).toBe("plaintext");
    expect(opened.scheme).toBe("fernet");
    expect(opened.key).toBe(length > 32_768 ? undefined : id);
  }
});

test("Rails: a rotation, a deterministic attribute, an envelope, a previous scheme", () => {
  const keyDerivationSalt = "a salt";
  const old = codecs.rails({ primaryKeys: ["old"], keyDerivationSalt });
  const both = codecs.rails({ primaryKeys: ["old", "new"], keyDerivationSalt, storeKeyReferences: true }); // prettier-ignore
  const stored = old.seal("x");
  expect(both.open(stored).current).toBe(false);
  const rotated = both.rotate(stored);
  expect(both.open(rotated).current).toBe(true);
  expect(both.isCurrent(rotated)).toBe(true);

  const deterministic = codecs.rails({ deterministicKeys: ["d"], keyDerivationSalt, deterministic: true }); // prettier-ignore
  expect(deterministic.seal("x")).toBe(deterministic.seal("x"));
  const envelope = codecs.rails({ primaryKeys: ["old"], keyDerivationSalt, envelope: true });
  expect(text(envelope.open(envelope.seal("x")).plaintext)).toBe("x");
  refuses("format-unsupported", () => envelope.open(stored));
  const previous = [{ primaryKeys: ["old"], keyDerivationSalt }];
  const sha1 = codecs.rails({ primaryKeys: ["k"], keyDerivationSalt: "s", digests: ["sha1"], previous }); // prettier-ignore
  expect(text(sha1.open(stored).plaintext)).toBe("x");
  refuses("invalid-argument", () => codecs.rails({ primaryKeys: ["k"], keyDerivationSalt, previous: [{ key: "x" }] as never })); // prettier-ignore

  const packed = codecs.rails({ primaryKeys: ["old"], keyDerivationSalt, serializer: "message_pack" }); // prettier-ignore
  expect(text(packed.open(packed.seal("x", { binary: true })).plaintext)).toBe("x");
  refuses("codec-read-only", () => packed.seal("x"));
  const long = "long ".repeat(100);
  const loose = codecs.rails({ primaryKeys: ["old"], keyDerivationSalt, compress: false });
  refuses("invalid-argument", () =>
    codecs.rails({ primaryKeys: ["old"], keyDerivationSalt, compress: null as never }),
  );
  expect(old.seal(long).length).toBeLessThan(loose.seal(long).length);
});

test("Metabase binds a value to its setting", () => {
  const codec = codecs.metabase({ keys: [METABASE], aad: "setting.{key}" });
  const stored = codec.seal("x", { context: { key: "site-url" } });
  expect(text(codec.open(stored, { key: "site-url" }).plaintext)).toBe("x");
  refuses("auth-failed", () => codec.open(stored, { key: "site-name" }));
  refuses("context-invalid", () => codec.open(stored));
  refuses("codec-read-only", () => codec.seal("", { context: { key: "a" } }));
});

test("a value that nothing authenticates is not rotated unchecked", () => {
  const unchecked = codecs.n8n({ instanceKeys: ["new", "old"] });
  const stored = codecs.n8n({ instanceKeys: ["old"] }).seal(JSON_VALUE);
  refuses("expect-required", () => unchecked.rotate(stored));
  const checked = codecs.n8n({ instanceKeys: ["new", "old"], expect: "json" });
  expect(checked.open(stored)).toMatchObject({ key: "2", trust: "checked", current: false });
  expect(checked.open(checked.rotate(stored))).toMatchObject({ key: "1", current: true });
});

test("n8n: data keys and rows", () => {
  const { N8nDataKey, rewrapN8nRow } = codecs;
  const key = N8nDataKey.generate();
  expect(key.text()).toMatch(/^[0-9a-f]{64}$/);
  for (const shown of [inspect(key), String(key), JSON.stringify({ key }), Object.keys(key)]) {
    expect(String(shown)).not.toContain(key.text());
  }
  const row = { id: "bEc5AmLGiLrtdybl", type: "data_encryption", value: key.wrap("old"), algorithm: "aes-256-gcm", status: "active", createdAt: 1 }; // prettier-ignore
  const before = codecs.n8n({ instanceKeys: ["old"], rows: [row], write: "prefixed" });
  const stored = before.seal("{}") as string;
  expect(stored.startsWith(`${row.id}:`)).toBe(true);
  const rewrapped = rewrapN8nRow(row, ["old"], "new");
  expect(rewrapped).toEqual({ ...row, value: rewrapped.value });
  expect(rewrapN8nRow(rewrapped, ["old"], "new")).toEqual(rewrapped);
  expect(N8nDataKey.unwrapValue(rewrapped.value, ["new"]).text()).toBe(key.text());
  const after = codecs.n8n({ instanceKeys: ["new"], rows: [rewrapped], write: "prefixed" });
  expect(after.open(stored)).toMatchObject({ current: true, trust: "authenticated", key: row.id });
  refuses("auth-failed", () => codecs.n8n({ instanceKeys: ["new"], rows: [row], write: "legacy" }));
  // Nothing loses its authentication unasked.
  refuses("invalid-argument", () => codecs.n8n({ instanceKeys: ["new"], rows: [rewrapped] }));
  refuses("auth-failed", () => N8nDataKey.unwrapValue(row.value, ["new"]));
  refuses("unknown-key", () => codecs.n8n({ instanceKeys: ["new"] }).open(stored));
  refuses("invalid-key", () => key.wrap(""));
  refuses("invalid-key", () => N8nDataKey.fromText(""));
  expect(N8nDataKey.fromText("a text").text()).toBe("a text");
  key.dispose();
  refuses("invalid-argument", () => key.text());
  refuses("invalid-argument", () => rewrapN8nRow(null as never, [], "x"));
});

test("plaintext never looks like an envelope", () => {
  const plain = codecs.plain();
  expect(plain.seal("hello")).toBe("hello");
  refuses("looks-sealed", () => plain.seal(ring.seal("x", {})));
  refuses("looks-sealed", () => plain.open(ring.seal("x", {})));
  refuses("codec-read-only", () => plain.seal(Uint8Array.of(255)));
});

test("a codec that was disposed is used no more", () => {
  const codec = codecs.fernet({ keys: [FERNET] });
  const stored = codec.seal("x");
  codec.dispose();
  codec.dispose();
  refuses("invalid-argument", () => codec.open(stored));
  const short = new Keyring({ primary: Key.generate() });
  const over = codecs.reseal(short);
  const sealed = over.seal("x");
  short.dispose();
  refuses("invalid-argument", () => over.open(sealed));
  refuses("invalid-argument", () => over.seal("x"));
});
