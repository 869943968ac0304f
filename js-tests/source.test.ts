// Key sources: the environment and directories of keys.
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Key, Keyring } from "reseal";
import { refuses, runNode } from "./support.js";

const [data, old, next] = [Key.generate(), Key.generate(), Key.generate()];
const [index, oldIndex] = [Key.generate("index"), Key.generate("index")];
const states = (ring: Keyring) =>
  Object.fromEntries(ring.keys().map(({ id, state }) => [id, state]));

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "reseal-keys-"))));
afterEach(() => rmSync(folder, { recursive: true }));
const put = (name: string, content: string | Uint8Array) =>
  writeFileSync(join(folder, name), content);
const fromFolder = (primary: string, indexPrimary?: string) =>
  Keyring.fromEnv({
    RESEAL_KEY_DIR: folder,
    RESEAL_PRIMARY: primary,
    RESEAL_INDEX_PRIMARY: indexPrimary,
  });

test("variables make a ring", () => {
  const ring = Keyring.fromEnv({
    RESEAL_PRIMARY_KEY: ` ${data.export()}\n`,
    RESEAL_INDEX_KEY: index.export(),
    RESEAL_DECRYPT_KEYS: `${old.export()}, ${oldIndex.export()}\n`,
    RESEAL_INTRODUCED_KEYS: next.export(),
    RESEAL_KEYSET: "  ",
    PATH: "/bin",
  });
  expect(states(ring)).toEqual({
    [data.id]: "primary",
    [index.id]: "primary",
    [old.id]: "decrypt_only",
    [oldIndex.id]: "decrypt_only",
    [next.id]: "introduced",
  });
});

test("process.env is the default, read at the call", () => {
  process.env["RESEAL_PRIMARY_KEY"] = data.export();
  try {
    expect(Keyring.fromEnv().primaryId).toBe(data.id);
  } finally {
    delete process.env["RESEAL_PRIMARY_KEY"];
  }
  expect(refuses("source-missing", () => Keyring.fromEnv()).message).toContain(
    "RESEAL_PRIMARY_KEY",
  );
});

test("an unset, empty, doubly set or wrong environment names the variables", () => {
  const text = data.export();
  for (const [code, env, named] of [
    ["source-missing", {}, "RESEAL_KEY_DIR"],
    ["source-missing", { RESEAL_PRIMARY_KEY: "" }, "RESEAL_PRIMARY_KEY"],
    ["source-missing", { RESEAL_PRIMARY_KEY: " \n\t" }, "RESEAL_PRIMARY_KEY"],
    ["source-missing", { RESEAL_DECRYPT_KEYS: text }, "RESEAL_PRIMARY_KEY"],
    ["source-missing", { RESEAL_KEY_DIR: "/keys" }, "RESEAL_PRIMARY"],
    ["source-conflict", { RESEAL_PRIMARY_KEY: text, RESEAL_KEY_DIR: "/k" }, "RESEAL_KEYSET"],
    ["source-missing", { RESEAL_KEYSET: "/keys.json" }, "RESEAL_KEK"],
    ["invalid-key", { RESEAL_PRIMARY_KEY: `"${text}"` }, "RESEAL_PRIMARY_KEY"],
    ["invalid-key", { RESEAL_PRIMARY_KEY: text.slice(1) }, "RESEAL_PRIMARY_KEY"],
    ["invalid-key", { RESEAL_PRIMARY_KEY: text, RESEAL_DECRYPT_KEYS: ",," }, "RESEAL_DECRYPT_KEYS"],
    ["key-wrong-use", { RESEAL_PRIMARY_KEY: index.export() }, "RESEAL_PRIMARY_KEY"],
    ["key-wrong-use", { RESEAL_PRIMARY_KEY: text, RESEAL_INDEX_KEY: text }, "RESEAL_INDEX_KEY"],
    [
      "duplicate-key",
      { RESEAL_PRIMARY_KEY: text, RESEAL_DECRYPT_KEYS: `${old.export()},${old.export()}` },
      "RESEAL_DECRYPT_KEYS",
    ],
  ] as const) {
    const error = refuses(code, () => Keyring.fromEnv(env));
    expect(error.message).toContain(named);
    for (const key of [data, old, index]) {
      expect(error.message).not.toContain(key.export().slice(12, 20));
    }
  }
});

test("an environment of another shape is refused", () => {
  for (const env of [
    null,
    "x",
    1,
    { RESEAL_PRIMARY_KEY: 1 },
    { RESEAL_PRIMARY_KEY: null },
  ] as never[]) {
    refuses("invalid-argument", () => Keyring.fromEnv(env));
  }
  const huge = "x".repeat(100_000_000);
  refuses("invalid-key", () => Keyring.fromEnv({ RESEAL_PRIMARY_KEY: huge }));
  for (const value of ["\0", "\ud800", "🔑", "é".repeat(50)]) {
    refuses("invalid-key", () => Keyring.fromEnv({ RESEAL_PRIMARY_KEY: value }));
  }
});

test("a directory makes a ring: links followed, hidden files and folders skipped", () => {
  put("2026-a", `${data.export()}\n`);
  put("2026-b", index.export());
  put(".hidden", "not a key");
  mkdirSync(join(folder, "..data"));
  mkdirSync(join(folder, "sub"));
  writeFileSync(join(folder, "..data", "2025"), old.export());
  symlinkSync("..data/2025", join(folder, "2025"));
  const ring = fromFolder("2026-a", "2026-b");
  const opening = { [data.id]: "primary", [index.id]: "primary", [old.id]: "decrypt_only" };
  expect(states(ring)).toEqual(opening);
  expect(states(fromFolder("2025"))).toMatchObject({
    [old.id]: "primary",
    [data.id]: "decrypt_only",
  });
});

test("what cannot be read is source-unreadable and named", () => {
  put("a", data.export());
  const unknown = refuses("source-unreadable", () => fromFolder("b"));
  expect(unknown.message).toContain("RESEAL_PRIMARY");
  const missing = { RESEAL_KEY_DIR: join(folder, "none"), RESEAL_PRIMARY: "a" };
  const error = refuses("source-unreadable", () => Keyring.fromEnv(missing));
  expect(error.message).toContain(join(folder, "none"));
  expect(error.message).toContain("ENOENT");
  const file = { RESEAL_KEY_DIR: join(folder, "a"), RESEAL_PRIMARY: "a" };
  expect(refuses("source-unreadable", () => Keyring.fromEnv(file)).message).toContain("ENOTDIR");
  symlinkSync("nowhere", join(folder, "dangling"));
  expect(refuses("source-unreadable", () => fromFolder("a")).message).toContain("dangling");
});

test("a file that is no key is named, and its content is not", () => {
  put("a", data.export());
  for (const [content, code] of [
    ["", "invalid-key"],
    ["password123", "invalid-key"],
    ["\0".repeat(100), "invalid-key"],
    [Uint8Array.of(0xff, 0xfe), "source-unreadable"],
  ] as const) {
    put("b", content);
    const error = refuses(code, () => fromFolder("a"));
    expect(error.message).toContain("b: ");
    expect(error.message).not.toContain("password123");
  }
  put("b", oldIndex.export());
  refuses("key-wrong-use", () => fromFolder("b"));
});

test("a file above 64 KiB is refused, one below is read", () => {
  put("a", data.export() + " ".repeat(60_000));
  expect(fromFolder("a").primaryId).toBe(data.id);
  truncateSync(join(folder, "a"), 64 * 1024 + 1);
  expect(refuses("source-unreadable", () => fromFolder("a")).message).toContain("64 KiB");
  truncateSync(join(folder, "a"), 2 ** 40);
  refuses("source-unreadable", () => fromFolder("a"));
});

test("a pipe does not block: it is no file, and is named", () => {
  put("a", data.export());
  execFileSync("mkfifo", [join(folder, "pipe")]);
  expect(refuses("source-unreadable", () => fromFolder("a")).message).toContain("pipe");
});

test("missing rights", () => {
  put("a", data.export());
  chmodSync(folder, 0o755);
  chmodSync(join(folder, "a"), 0);
  // Root reads everything, so it becomes nobody for a while.
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.(65534);
  try {
    expect(refuses("source-unreadable", () => fromFolder("a")).message).toContain("EACCES");
  } finally {
    if (root) process.seteuid?.(0);
  }
});

test("importing the package without keys does not fail", () => {
  expect(runNode('await import("reseal"); console.log("imported")')).toBe("imported");
});
