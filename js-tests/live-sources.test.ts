// What a ring follows: variables, files, directories, and keysets under a passphrase.
import fs, { chmodSync, mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test, vi } from "vitest";
import { Key, Keyset, KeysetFile, LiveKeyring } from "reseal";
import { away, clock, file, folder, put, useLive } from "./live-scene.js";
import { kek, rotate } from "./live-support.js";
import { errorOf, refuses } from "./support.js";

useLive();

test("variables are for ever", () => {
  const env: Record<string, string> = { RESEAL_PRIMARY_KEY: Key.generate().export() };
  const ring = LiveKeyring.fromEnv(env, { clock: clock.read });
  const stored = ring.seal("x", {});
  delete env["RESEAL_PRIMARY_KEY"];
  clock.now += 1e9;
  expect(ring.seal("x", {})).toBeTruthy();
  ring.refresh();
  expect(ring.openString(stored, {})).toBe("x");
  expect(ring.status()).toMatchObject({ kind: "keys", stale: false });
  refuses("source-missing", () => LiveKeyring.fromEnv({}));
});

test("files that variables name", () => {
  const [old, fresh] = [Key.generate(), Key.generate()];
  const primary = put("primary", old.export());
  const options = { clock: clock.read };
  const ring = LiveKeyring.fromEnv({ RESEAL_PRIMARY_KEY_FILE: primary }, options);
  expect(ring.primaryId).toBe(old.id);
  put("primary", fresh.export());
  clock.now += 10;
  expect(ring.primaryId).toBe(fresh.id);
  const env = { RESEAL_KEYSET: file.path, RESEAL_KEK_FILE: put("kek", kek.export()) };
  const follower = LiveKeyring.fromEnv(env, options);
  expect(follower.primaryId).toBe(file.load().primaryId);
  const second = rotate(file);
  clock.now += 10;
  expect(follower.primaryId).toBe(second);
  expect(follower.status().kind).toBe("keyset");
});

test("a directory", () => {
  const directory = join(folder, "keys");
  fs.mkdirSync(directory);
  put("keys/a", Key.generate().export());
  const options = { primary: "a", clock: clock.read, checkSeconds: 0 };
  const ring = LiveKeyring.fromDirectory(directory, options);
  const states = () => Object.fromEntries(ring.keys().map(({ label, state }) => [label, state]));
  expect(states()).toEqual({ a: "primary" });
  put("keys/b", Key.generate().export());
  expect(states()).toEqual({ a: "primary", b: "decrypt_only" });
  put("keys/c", "no key");
  expect(Object.keys(states()).length).toBe(2);
  refuses("invalid-key", () => ring.refresh());
  expect(ring.status().kind).toBe("directory");
});

test("relative paths count from where the ring was made", () => {
  const folderOf = (name: string): string => {
    mkdirSync(join(folder, name));
    return join(folder, name);
  };
  chmodSync(put("kek", kek.export()), 0o600);
  folderOf("keys");
  chmodSync(put("keys/new", Key.generate().export()), 0o600);
  const before = process.cwd();
  // A worker thread cannot change its folder, and so this stands in for it.
  const cwd = vi.spyOn(process, "cwd").mockReturnValue(folder);
  const options = { clock: clock.read };
  const base = basename(file.path);
  const rings = [
    LiveKeyring.fromEnv({ RESEAL_KEYSET: base, RESEAL_KEK_FILE: "./kek" }, options),
    LiveKeyring.fromDirectory("keys", { primary: "new", ...options }),
    LiveKeyring.fromKeyset(base, { kekFile: "kek", ...options }),
  ];
  cwd.mockRestore();
  expect(process.cwd()).toBe(before);
  for (const ring of rings) expect(ring.seal("x", {})).toBeTruthy();
  const second = rotate(file);
  clock.now += 10;
  expect(rings.map((ring) => ring.primaryId === second)).toEqual([true, false, true]);
  away();
  const error = errorOf(() => rings[0]!.refresh());
  expect(error.message).toContain(`RESEAL_KEYSET: cannot read "${base}": `);
});

test("a passphrase", () => {
  const keyset = Keyset.create({ passphrase: "several words" });
  keyset.rotate("data");
  const words = new KeysetFile(join(folder, "words.json"), { passphrase: "several words" });
  words.create(keyset);
  const passphraseFile = put("phrase", "several words\n");
  for (const opener of [{ passphrase: "several words" }, { passphraseFile }]) {
    const options = { ...opener, clock: clock.read, checkSeconds: 0 };
    const ring = LiveKeyring.fromKeyset(words.path, options);
    expect(ring.primaryId).toBe(words.load().primaryId);
    const second = rotate(words);
    expect(ring.primaryId).toBe(second);
  }
  const wrong = LiveKeyring.fromKeyset(words.path, {
    passphrase: "several word",
    clock: clock.read,
  });
  refuses("kek-mismatch", () => wrong.primaryId);
});

test("a passphrase is derived once, however often its keyset is looked at", () => {
  file.edit((keyset) => keyset.addPassphrase("several words"));
  const ring = LiveKeyring.fromKeyset(file.path, {
    passphrase: "several words",
    clock: clock.read,
  });
  ring.refresh();
  const original = WebAssembly.Instance;
  let instances = 0;
  WebAssembly.Instance = class extends original {
    constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
      super(module, imports);
      instances += 1;
    }
  };
  try {
    for (let i = 0; i < 5; i++) ring.refresh();
    const fresh = LiveKeyring.fromKeyset(file.path, { passphrase: "several words" });
    expect(instances).toBe(0);
    fresh.refresh();
    expect(instances).toBe(1);
  } finally {
    WebAssembly.Instance = original;
  }
});
