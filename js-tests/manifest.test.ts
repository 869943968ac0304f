// The manifest: what is built of it, and where its secrets come from.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import {
  codecs,
  Column,
  Key,
  Keyring,
  Keyset,
  KeysetFile,
  LiveKeyring,
  Manifest,
  PlaintextWarning,
  type ManifestOptions,
} from "reseal";
import { useFolder } from "./files-support.js";
import { errorOf, refuses, runNode } from "./support.js";

const FERNET_KEY = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
const primary = Key.generate();
const env = { RESEAL_PRIMARY_KEY: primary.export(), FERNET_KEY, N8N_KEY: "test_key" };

const APP = '[codecs.app]\nkind = "reseal"\nkeyring = "env"';
const TOKENS = '[codecs.tokens]\nkind = "fernet"\nkeys = ["env:FERNET_KEY"]';
const column = (members: string, name = "ssn") =>
  `[[columns]]\ntable = "users"\ncolumn = "${name}"\nrow_id = ["id"]\n${members}`;
const parse = (...parts: string[]) => Manifest.parse(["version = 1", ...parts].join("\n"));
const [app, tokens] = [column('write = "app"'), column('write = "tokens"')];

let folder: string;
useFolder((made) => void (folder = made));
const put = (name: string, content: string | Uint8Array) => {
  writeFileSync(join(folder, name), content, { mode: 0o600 });
  return join(folder, name);
};

test("columns of every kind of member seal and open as those made by hand", () => {
  const manifest = parse(
    APP,
    TOKENS,
    column(
      'write = "app"\nread = ["tokens", "plain"]\ntype = "integer"\nmode = "padded"\nbind_row = true\n' +
        'context = { table = "users", tenant = { column = "tenant_id" } }\n' +
        'earlier_contexts = [{ table = "people" }]',
      "age",
    ),
    column('write = "app"\nmode = "deterministic"\ncontext = { column = "email" }', "email"),
  );
  const [age, email] = manifest.build({ env }) as [Column<"integer">, Column];
  expect(age).toBeInstanceOf(Column);
  const row = { row: 7, tenant: "t" };
  const ring = new Keyring({ primary });
  const context = { table: "users", ...row };
  expect(ring.openString(age.seal(42, row), context)).toBe("42");
  expect(age.seal(42, row).length).toBe(ring.seal("42", context, "padded").length);
  const before = age.open(ring.seal("41", { ...context, table: "people" }), row);
  expect(before).toMatchObject({ value: 41n, codec: "app", earlier: true });
  const token = codecs.fernet({ keys: [FERNET_KEY] }).seal("40") as string;
  expect(age.open(token, row)).toMatchObject({ value: 40n, codec: "tokens" });
  expect(age.open("39", row)).toMatchObject({ value: 39n, codec: "plain" });
  refuses("auth-failed", () => age.open(age.seal(42, row), { ...row, row: 8 }));
  expect(email.seal("a@b.c")).toBe(ring.seal("a@b.c", { column: "email" }, "deterministic"));
});

test("facts are told in the names of JavaScript, and nobody changes them", () => {
  const manifest = parse(
    APP,
    column(
      'write = "app"\nwhere = "id > 0"\nbind_row = true\ncontext = { t = "x", o = { column = "c" } }\n' +
        'earlier_contexts = [{ t = "y" }]\nreaders = { billing = ["reseal"] }\n' +
        'indexes = [{ name = "ssn_eq", column = "ssn_bidx", normalizer = "digits", bits = 64 }]',
    ),
  );
  expect(manifest.codecs).toEqual([
    { name: "app", kind: "reseal", writesPlaintext: false },
    { name: "plain", kind: "plain", writesPlaintext: true },
  ]);
  expect(manifest.columns).toEqual([
    {
      table: "users",
      column: "ssn",
      rowId: ["id"],
      where: "id > 0",
      path: undefined,
      context: { t: "x", o: { column: "c" } },
      bindRow: true,
      earlierContexts: [{ t: "y" }],
      type: "text",
      mode: "random",
      write: "app",
      read: [],
      readers: { billing: ["reseal"] },
      indexes: [{ name: "ssn_eq", column: "ssn_bidx", normalizer: "digits", bits: 64 }],
    },
  ]);
  expect(() => Object.assign(manifest.columns[0]!.context, { t: "z" })).toThrow(TypeError);
  expect(() => (manifest.codecs as unknown[]).pop()).toThrow(TypeError);
  const [warning] = parse(APP, TOKENS, app).warnings;
  expect(warning!.text).toBe(`${warning!.place}: ${warning!.message} (line ${warning!.line})`);
});

describe("files", () => {
  test("reseal.toml is read, in the folder of the process", () => {
    const path = put("reseal.toml", `version = 1\n${TOKENS}`);
    expect(Manifest.load(path).codecs.map(({ name }) => name)).toEqual(["plain", "tokens"]);
    const before = process.cwd();
    process.chdir(folder);
    try {
      expect(Manifest.load().codecs).toHaveLength(2);
    } finally {
      process.chdir(before);
    }
  });

  test("errors name the path", () => {
    const message = (path: string) =>
      refuses("manifest-invalid", () => Manifest.load(path)).message;
    const wrong = put("wrong.toml", "version = 1\ncolums = []");
    expect(message(wrong)).toMatch(`"${wrong}": the manifest is not valid: colums: `);
    const bytes = put("bytes.toml", Uint8Array.of(255));
    expect(message(bytes)).toBe(`"${bytes}" is no text (UTF-8)`);
    const large = put("large.toml", " ".repeat(1_048_577));
    expect(message(large)).toBe(`a manifest has at most 1048576 bytes, and "${large}" has more`);
    const newer = put("newer.toml", "version = 2");
    const { message: why } = refuses("unsupported-version", () => Manifest.load(newer));
    expect(why).toContain(newer);
    const missing = join(folder, "missing.toml");
    expect(refuses("source-unreadable", () => Manifest.load(missing)).message).toContain(missing);
  });

  test("the same text gives the same manifest", () => {
    refuses("manifest-invalid", () => Manifest.parse(" ".repeat(1_048_577)));
    expect(Manifest.parse(`version = 1${" ".repeat(1_048_565)}`).columns).toEqual([]);
  });
});

describe("secrets", () => {
  const opens = (manifest: Manifest, options: ManifestOptions) => {
    const token = codecs.fernet({ keys: [FERNET_KEY] }).seal("hello");
    expect(manifest.build(options)[0]!.open(token).value).toBe("hello");
  };

  test("from the environment", () => {
    opens(parse(TOKENS, tokens), { env });
    process.env["FERNET_KEY"] = FERNET_KEY;
    try {
      opens(parse(TOKENS, tokens), {});
    } finally {
      delete process.env["FERNET_KEY"];
    }
    const { message } = refuses("source-missing", () => parse(TOKENS, tokens).build());
    expect(message).toBe("codecs.tokens.keys[0]: the variable FERNET_KEY is not set");
    const bad = { FERNET_KEY: `${FERNET_KEY}\ud800` };
    expect(
      refuses("source-unreadable", () => parse(TOKENS, tokens).build({ env: bad })).message,
    ).toBe("codecs.tokens.keys[0]: the variable FERNET_KEY is no text (UTF-8)");
  });

  test("from a file, without its last line feed", () => {
    const named = TOKENS.replace("env:FERNET_KEY", `file:${join(folder, "key")}`);
    const { message } = refuses("source-unreadable", () => parse(named, tokens).build());
    expect(message).toMatch(`codecs.tokens.keys[0]: cannot read "${join(folder, "key")}"`);
    put("key", `${FERNET_KEY}\n`);
    opens(parse(named, tokens), {});
  });

  test("from a directory", () => {
    mkdirSync(join(folder, "keys"));
    put("keys/key_2024", FERNET_KEY);
    const sentry = `[codecs.s]\nkind = "sentry"\nkey_dir = "${folder}/keys"\nprimary = "key_2024"`;
    const manifest = parse(sentry, column('write = "s"'));
    const [made] = manifest.build();
    const stored = codecs.sentry({ keys: { key_2024: FERNET_KEY }, primary: "key_2024" }).seal("x");
    expect(made!.open(stored)).toMatchObject({ value: "x", codec: "s", key: "key_2024" });
  });

  test("rows from a table, with the columns that are asked for", () => {
    const n8n =
      '[codecs.n]\nkind = "n8n"\ninstance_keys = ["env:N8N_KEY"]\nrows = "table:deployment_key"\nwrite = "prefixed"\nexpect = "utf8"';
    const manifest = parse(n8n, column('write = "n"'));
    const key = codecs.N8nDataKey.generate();
    const row = {
      id: "bEc5AmLGiLrtdybl",
      type: "data_encryption",
      value: key.wrap("test_key"),
      algorithm: "aes-256-gcm",
      status: "active",
      createdAt: new Date(),
      count: 7n,
    };
    const [made] = manifest.build({ env, tables: { deployment_key: [row] } });
    const stored = made!.seal("hello") as string;
    expect(stored).toMatch(/^bEc5AmLGiLrtdybl:/);
    const byHand = codecs.n8n({ instanceKeys: ["test_key"], rows: [row], write: "prefixed" });
    expect(Buffer.from(byHand.open(stored).plaintext).toString()).toBe("hello");

    const refused = (code: "source-missing" | "invalid-argument", tables: unknown) =>
      refuses(code, () => manifest.build({ env, tables: tables as never })).message;
    expect(refused("source-missing", {})).toBe(
      "codecs.n.rows: the rows of the table deployment_key were not given: give them in tables, each with id, type, value, algorithm, status",
    );
    expect(refused("invalid-argument", { deployment_key: "x" })).toContain("deployment_key");
    expect(refused("invalid-argument", { deployment_key: [7] })).toContain("row 0 of");
    expect(
      refused("invalid-argument", { deployment_key: [row, { ...row, value: Uint8Array.of(1) }] }),
    ).toBe("value of row 1 of deployment_key in tables is text, an integer or null");
    for (const value of [NaN, 1.5, 2 ** 53, Infinity, true, [], () => 1, Symbol("s")]) {
      expect(refused("invalid-argument", { deployment_key: [{ ...row, value }] })).toBe(
        "value of row 0 of deployment_key in tables is text, an integer or null",
      );
    }
    for (const value of [2n ** 64n, -(2n ** 64n), 10n ** 5000n]) {
      expect(refused("invalid-argument", { deployment_key: [{ ...row, value }] })).toBe(
        "value of row 0 of deployment_key in tables has more than 64 bits",
      );
    }
    const withStatus = (status: unknown) => ({ deployment_key: [{ ...row, status }] });
    for (const status of [7, 7n, -7n, 2n ** 64n - 1n, 1n - 2n ** 64n, null, undefined]) {
      const call = () => manifest.build({ env, tables: withStatus(status) });
      const { message } = refuses("source-unreadable", call);
      expect(message).toBe("codecs.n.rows[0].status: expected text");
    }
  });

  test("a codec reads what it needs, and no more", () => {
    const manifest = parse(APP, TOKENS, app);
    const codec = manifest.codec("tokens", { env: { FERNET_KEY } });
    expect(codec).toBeInstanceOf(codecs.Codec);
    expect(`${codec}`).toBe("Codec(fernet, tokens)");
    expect(manifest.build({ env: { RESEAL_PRIMARY_KEY: primary.export() } })).toHaveLength(1);
    const { message } = refuses("invalid-argument", () => manifest.codec("token"));
    expect(message).toBe('there is no codec "token"; did you mean "tokens"?');
  });
});

describe("rings", () => {
  const opensWith = (manifest: Manifest, options: ManifestOptions = {}) => {
    const stored = new Keyring({ primary }).seal("x", {});
    const [made] = manifest.build(options);
    expect(made!.open(stored).value).toBe("x");
    expect(made!.reseal(stored)).toEqual({ outcome: "current" });
    return made!;
  };

  test("from the environment and what it names", () => {
    opensWith(parse(APP, app), { env });
    const RESEAL_PRIMARY_KEY_FILE = put("primary", primary.export());
    opensWith(parse(APP, app), { env: { RESEAL_PRIMARY_KEY_FILE } });
    const { message } = refuses("source-unreadable", () =>
      parse(APP, app).build({ env: { RESEAL_PRIMARY_KEY_FILE: join(folder, "missing") } }),
    );
    expect(message).toMatch("codecs.app.keyring: RESEAL_PRIMARY_KEY_FILE: ");
    refuses("source-missing", () => parse(APP, app).build({ env: {} }));
  });

  test("from a directory", () => {
    const ring = `[codecs.app]\nkind = "reseal"\nkeyring = "dir:${folder}"\nprimary = "now"`;
    const manifest = parse(ring, app);
    expect(refuses("source-unreadable", () => manifest.build()).message).toMatch(
      "codecs.app.keyring: the key directory has no file of the name that primary gives",
    );
    put("now", primary.export());
    opensWith(manifest);
  });

  test("from a keyset, by a key or a passphrase", () => {
    const kek = Key.generate("kek");
    const passphrase = "correct horse battery staple";
    const path = join(folder, "ring.json");
    const keyset = Keyset.create({ kek });
    keyset.addPassphrase(passphrase);
    keyset.introduce(primary);
    keyset.promote(primary.id, { early: true });
    new KeysetFile(path).create(keyset);
    const by = (how: string) =>
      parse(`[codecs.app]\nkind = "reseal"\nkeyring = "keyset:${path}"\n${how}`, app);
    opensWith(by('kek = "env:KEK"'), { env: { KEK: kek.export() } });
    opensWith(by(`kek = "file:${put("kek", kek.export())}"`));
    opensWith(by('passphrase = "env:PASS"'), { env: { PASS: passphrase } });
    const { message } = refuses("source-missing", () => by('kek = "env:KEK"').build({ env: {} }));
    expect(message).toBe("codecs.app.keyring: the variable KEK is not set");
    const other = { KEK: Key.generate("kek").export() };
    refuses("kek-mismatch", () => by('kek = "env:KEK"').build({ env: other }));
  });

  test("given ones count in place of it, and live ones are followed", () => {
    const manifest = parse(APP, app);
    opensWith(manifest, { rings: { app: new Keyring({ primary }) } });
    const path = put("primary", primary.export());
    const live = LiveKeyring.fromEnv({ RESEAL_PRIMARY_KEY_FILE: path }, { checkSeconds: 0 });
    const made = opensWith(manifest, { rings: { app: live } });
    const next = Key.generate();
    put("primary", next.export());
    expect(made.classify(made.seal("x"))).toMatchObject({ codec: "app", key: next.id });
  });

  test("one that several codecs name is read once", () => {
    const second = APP.replace("codecs.app", "codecs.second");
    const third = '[codecs.third]\nkind = "reseal"\nkeyring = "env"';
    const manifest = parse(APP, second, third, column('write = "app"\nread = ["second", "third"]'));
    let reads = 0;
    const counted = {
      get RESEAL_PRIMARY_KEY() {
        reads++;
        return env.RESEAL_PRIMARY_KEY;
      },
    };
    const made = opensWith(manifest, { env: counted });
    expect(reads).toBe(1);
    made.dispose();
    opensWith(manifest, { env: counted, rings: { app: new Keyring({ primary }) } });
    expect(reads).toBe(2);
    const other = `[codecs.other]\nkind = "reseal"\nkeyring = "dir:${folder}"\nprimary = "now"`;
    const key = Key.generate();
    put("now", key.export());
    const [both] = parse(APP, other, column('write = "app"\nread = ["other"]')).build({ env });
    expect(both!.open(new Keyring({ primary: key }).seal("x", {}))).toMatchObject({
      value: "x",
      codec: "other",
    });
  });

  test("columns work on once nobody holds their codecs", () => {
    const text = ["version = 1", APP, column('write = "app"\nread = ["plain"]')].join("\n");
    const program = `
      import { Manifest } from "reseal";
      const env = ${JSON.stringify(env)};
      const columns = Array.from({ length: 20 }, () => {
        return Manifest.parse(${JSON.stringify(text)}).build({ env })[0];
      });
      for (let i = 0; i < 3; i++) {
        globalThis.gc();
        await new Promise(setImmediate);
      }
      const opened = columns.map((column) => column.open(column.sealMany(["x"])[0]).value);
      console.log(opened.join(""), columns[0].reseal("x").outcome);
    `;
    expect(runNode(program, "--expose-gc")).toBe(`${"x".repeat(20)} resealed`);
    const codec = parse(APP, app).codec("app", { env });
    const made = new Column({ write: codec });
    codec.dispose();
    expect(made.open(made.seal("x")).value).toBe("x");
  });

  test("for codecs that have none they are refused", () => {
    const manifest = parse(APP, TOKENS, app);
    const ring = new Keyring({ primary });
    const refused = (rings: unknown) =>
      refuses("invalid-argument", () => manifest.build({ env, rings: rings as never })).message;
    expect(refused({ ap: ring })).toBe('there is no codec "ap"; did you mean "app"?');
    expect(refused({ tokens: ring })).toBe(
      'rings has "tokens", which is a codec of kind fernet: only one of kind reseal has a ring',
    );
    expect(refused({ app: primary })).toContain("is a Keyring");
    expect(refused(7)).toContain("rings");
  });
});

describe("plaintext", () => {
  const PLAIN = column('write = "plain"\nread = ["app"]', "age");
  const warnings = async (work: () => unknown) => {
    const heard: Error[] = [];
    const listen = (warning: Error) => void heard.push(warning);
    process.on("warning", listen);
    work();
    await new Promise(setImmediate);
    process.off("warning", listen);
    return heard.filter(({ name }) => name === "PlaintextWarning");
  };

  test("a column that writes it gives one warning, when it is built with keys", async () => {
    const manifest = parse(APP, app, PLAIN);
    const heard = await warnings(() => manifest.build({ env }));
    expect(heard.map(({ message }) => message)).toEqual([
      "the column users.age writes plaintext (codec plain): whoever sees the database reads its values",
    ]);
    expect(heard[0]).toBeInstanceOf(PlaintextWarning);
    expect(await warnings(() => manifest.keyless())).toEqual([]);
    expect(await warnings(() => parse(APP, app).build({ env }))).toEqual([]);
  });

  test.each([
    ["1", true],
    ["no", true],
    [" 0 ", false],
    ["", false],
    [" ", false],
    [undefined, false],
  ])("RESEAL_REQUIRE_ENCRYPTION=%s", (RESEAL_REQUIRE_ENCRYPTION, isRequired) => {
    const said = { env: { ...env, RESEAL_REQUIRE_ENCRYPTION } };
    const manifest = parse(APP, app, PLAIN);
    if (!isRequired) {
      expect(manifest.build(said)).toHaveLength(2);
      expect(manifest.codec("plain", said).kind).toBe("plain");
      return;
    }
    expect(refuses("encryption-required", () => manifest.build(said)).message).toBe(
      "encryption is required here (RESEAL_REQUIRE_ENCRYPTION): columns[1].write: plain writes plaintext (line 14)",
    );
    process.env["RESEAL_REQUIRE_ENCRYPTION"] = RESEAL_REQUIRE_ENCRYPTION;
    try {
      for (const options of [{ env }, { env: { ...env, RESEAL_REQUIRE_ENCRYPTION: "0" } }]) {
        refuses("encryption-required", () => manifest.build(options));
      }
    } finally {
      delete process.env["RESEAL_REQUIRE_ENCRYPTION"];
    }
    // A column may read what it may not write.
    expect(manifest.codec("plain", said).kind).toBe("plain");
    expect(manifest.codec("app", said).kind).toBe("reseal");
    expect(parse(APP, app).build(said)).toHaveLength(1);
  });
});

test("without keys columns classify, and nothing opens", () => {
  const manifest = parse(APP, TOKENS, column('write = "app"\nread = ["tokens", "plain"]'));
  const [made] = manifest.keyless();
  const stored = manifest.build({ env })[0]!.seal("x");
  expect(made!.classify(stored)).toMatchObject({ codec: "app", key: primary.id });
  expect(made!.classify("gAAAAABl")).toMatchObject({ codec: "tokens", certainty: "yes" });
  expect(made!.classify("x")).toMatchObject({ codec: "plain", certainty: "maybe" });
  refuses("source-missing", () => made!.open(stored));
  refuses("source-missing", () => made!.seal("x"));
});

test("what was read of files is wiped, also where a later one cannot be read", () => {
  const named = TOKENS.replace(
    '["env:FERNET_KEY"]',
    `["file:${put("first", FERNET_KEY)}", "file:${join(folder, "missing")}"]`,
  );
  const filled = vi.spyOn(Uint8Array.prototype, "fill");
  try {
    refuses("source-unreadable", () => parse(named, tokens).build());
    const wiped = filled.mock.contexts.filter((bytes) => {
      return (bytes as Uint8Array).length === FERNET_KEY.length;
    });
    expect(wiped).toHaveLength(1);
    expect(wiped[0]).toEqual(new Uint8Array(FERNET_KEY.length));
  } finally {
    filled.mockRestore();
  }
});

test("no secret is in a message", () => {
  const secret = "SECRETsecretSECRETsecretSECRETsecretSECRETsecret";
  const broken = TOKENS.replace("env:FERNET_KEY", secret);
  const file = TOKENS.replace("env:FERNET_KEY", `file:${put("key", secret)}`);
  const keyset = `[codecs.app]\nkind = "reseal"\nkeyring = "keyset:${put("k", secret)}"\nkek = "env:KEK"`;
  for (const call of [
    () => parse(broken, tokens),
    () => parse(TOKENS, tokens).build({ env: { FERNET_KEY: secret } }),
    () => parse(TOKENS, tokens).codec("tokens", { env: { FERNET_KEY: secret } }),
    () => parse(file, tokens).build(),
    () => parse(APP, app).build({ env: { RESEAL_PRIMARY_KEY: secret } }),
    () => parse(keyset, app).build({ env: { KEK: secret } }),
    () => parse(keyset, app).build({ env: { KEK: Key.generate("kek").export() } }),
  ]) {
    const { message } = errorOf(call);
    expect(message).not.toContain("SECRET");
  }
  expect(JSON.stringify(parse(TOKENS, tokens).codec("tokens", { env }))).not.toContain(FERNET_KEY);
});

test("arguments of wrong types are refused", () => {
  const manifest = parse(TOKENS, tokens);
  for (const wrong of [7, null, undefined, Uint8Array.of(1), "\ud800"]) {
    refuses("invalid-argument", () => Manifest.parse(wrong as never));
  }
  refuses("invalid-argument", () => Manifest.load(7 as never));
  for (const options of [7, null, [], { ring: {} }, { env: 7 }, { tables: 7 }, { rings: null }]) {
    refuses("invalid-argument", () => manifest.build(options as never));
    refuses("invalid-argument", () => manifest.codec("tokens", options as never));
  }
  refuses("invalid-argument", () => manifest.build({ env: { FERNET_KEY: 7 } as never }));
  for (const name of [7, undefined, "\ud800"]) {
    refuses("invalid-argument", () => manifest.codec(name as never, { env }));
  }
  refuses("invalid-argument", () => new (Manifest as never as new (handle: object) => unknown)({}));
});

test("rings and tables are checked whole, also those of other codecs", () => {
  const ring = new Keyring({ primary });
  for (const options of [
    { rings: { app: 5 } },
    { rings: [] },
    { rings: [ring] },
    { tables: [] },
    { tables: { keys: 5 } },
    { tables: { keys: {} } },
  ]) {
    const manifest = parse(APP, TOKENS);
    refuses("invalid-argument", () => manifest.codec("tokens", { env, ...options } as never));
    refuses("invalid-argument", () => manifest.build({ env, ...options } as never));
  }
});

test("rings and tables that are undefined are as if left out", () => {
  const none = { rings: { app: undefined }, tables: { keys: undefined } } as never as object;
  expect(parse(APP, app).build({ env, ...none })).toHaveLength(1);
});

test("a codec of a ring whose passphrase is no UTF-8 is refused", () => {
  const described =
    '[codecs.app]\nkind = "reseal"\nkeyring = "keyset:ring.json"\npassphrase = "env:PASS"';
  const given = { env: { PASS: "correct h\ufffdrse battery" } };
  const { message } = refuses("source-unreadable", () => parse(described).codec("app", given));
  expect(message).toBe("codecs.app.keyring: the variable PASS is no text (UTF-8)");
});

test("members of a document are text", () => {
  const described = column('write = "app"\ntype = "json"\npath = "$.codes[*]"');
  const manifest = parse(APP, described);
  const [built] = manifest.build({ env });
  expect(built!.open(built!.seal("abc")).value).toBe("abc");
  expect(manifest.columns[0]).toMatchObject({ type: "json", path: "$.codes[*]" });
});
