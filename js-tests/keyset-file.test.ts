// Keysets in files: loading, saving, conflicts. saves.test.ts tests what happens on the disk.
import { spawn } from "node:child_process";
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { beforeEach, expect, test } from "vitest";
import { Key, Keyset, KeysetFile, MemoryKekProvider, type KeysetFileOptions } from "reseal";
import * as browser from "reseal/browser";
import { useFolder } from "./files-support.js";
import { errorOf, refuses } from "./support.js";

const [KEK, OTHER] = [Key.generate("kek"), Key.generate("kek")];
const any = (value: unknown) => value as never;

let folder: string;
let path: string;
let file: KeysetFile;
useFolder((made) => void (folder = made));
beforeEach(() => {
  path = join(folder, "keyset.json");
  file = new KeysetFile(path, { kek: KEK });
  const keyset = Keyset.create({ kek: KEK });
  keyset.rotate("data", { label: "first" });
  file.create(keyset);
  expect(keyset.generation).toBe(1);
});

const labels = (of: KeysetFile) =>
  of
    .load()
    .keys()
    .map(({ label }) => label);
const put = (name: string, content: string | Uint8Array) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

test("load and save", () => {
  const keyset = file.load();
  keyset.introduce("data", { label: "second" });
  file.save(keyset, { now: 0 });
  expect([keyset.generation, keyset.issued]).toEqual([2, "1970-01-01T00:00:00Z"]);
  keyset.introduce("data", { label: "third" });
  file.save(keyset); // it goes on from what it saved
  expect(labels(file)).toEqual(["first", "second", "third"]);
  expect(file.path).toBe(path);
  expect(readdirSync(folder)).toEqual(["keyset.json"]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("what was loaded as text may be saved to the file with that text", () => {
  const keyset = Keyset.load(readFileSync(path, "utf8"), { kek: KEK });
  file.save(keyset);
  expect(file.load().generation).toBe(2);
});

test("the second of two gets a conflict", () => {
  const [mine, theirs] = [file.load(), file.load()];
  theirs.introduce("data", { label: "theirs" });
  file.save(theirs);
  mine.introduce("data", { label: "mine" });
  refuses("keyset-conflict", () => file.save(mine));
  expect(labels(file)).toEqual(["first", "theirs"]);
  expect(mine.generation).toBe(1);
});

test("an edit begins anew", () => {
  const calls: number[] = [];
  const id = file.edit((keyset) => {
    calls.push(keyset.generation);
    if (calls.length === 1) file.edit((other) => other.introduce("data", { label: "quicker" }));
    return keyset.introduce("data", { label: "mine" });
  });
  expect(calls).toEqual([1, 2]);
  expect(labels(file)).toEqual(["first", "quicker", "mine"]);
  expect(file.load().keys().at(-1)!.id).toBe(id);
});

test("an edit that fails saves nothing", () => {
  const before = readFileSync(path);
  const failure = new TypeError("x");
  const change = (keyset: Keyset) => {
    keyset.introduce("data");
    throw failure;
  };
  expect(() => file.edit(change)).toThrow(failure);
  refuses("invalid-argument", () => file.edit((keyset) => keyset.enable("aaaa")));
  expect(readFileSync(path)).toEqual(before);
});

test("an edit does not lose what is awaited", async () => {
  const before = readFileSync(path);
  const service = new MemoryKekProvider();
  const waiting: Promise<unknown>[] = [];
  const change = (keyset: Keyset) => {
    waiting.push(keyset.addProviderKek(service, "keys/app"));
    return waiting[0];
  };
  expect(refuses("invalid-argument", () => file.edit(change)).message).toContain("await");
  await Promise.all(waiting);
  expect(readFileSync(path)).toEqual(before);
});

const EDITOR = `
  import { KeysetFile } from "reseal";
  const [path, kekFile, name] = process.argv.slice(1);
  const file = new KeysetFile(path, { kekFile });
  for (let i = 0; i < 10; i++) file.edit((keyset) => keyset.introduce("data", { label: name + i }));`;

test("processes that edit at once", async () => {
  const kekFile = put("kek", `${KEK.export()}\n`);
  const cwd = dirname(fileURLToPath(import.meta.url));
  const ends = ["a", "b", "c"].map((name) => {
    const args = ["--input-type=module", "--eval", EDITOR, path, kekFile, name];
    const child = spawn(process.execPath, args, { cwd, stdio: "inherit" });
    return new Promise((resolve) => child.on("exit", resolve));
  });
  for (let i = 0; i < 10; i++) {
    file.edit((keyset) => keyset.introduce("data", { label: `here ${i}` }));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(await Promise.all(ends)).toEqual([0, 0, 0]);
  const found = labels(file);
  expect([found.length, new Set(found).size]).toEqual([41, 41]);
  expect(file.load().generation).toBe(41);
});

test("everything that opens a keyset", () => {
  const at = join(folder, "several.json");
  const keyset = Keyset.create({ kek: KEK });
  keyset.addKek(OTHER);
  keyset.addPassphrase("several words é");
  new KeysetFile(at).create(keyset);
  const kek = put("kek", ` ${KEK.export()}\r\n`);
  const other = pathToFileURL(put("other", OTHER.export()));
  const phrase = put("phrase", "several words é\n");
  const bytes = Buffer.from("several words é");
  const options: [boolean[], KeysetFileOptions][] = [
    [[true, false, false], { kek: KEK.export() }],
    [[true, true, false], { kek: [KEK, OTHER] }],
    [[true, false, false], { kekFile: kek }],
    [[true, true, false], { kekFile: [kek, other] }],
    [[false, false, true], { passphrase: bytes }],
    [[false, false, true], { passphraseFile: phrase }],
    [[true, true, true], { kek: KEK, kekFile: other, passphraseFile: phrase }],
  ];
  for (const [held, opener] of options) {
    const opened = new KeysetFile(at, opener);
    bytes.fill(0); // it has a copy
    expect(
      opened
        .load()
        .keks()
        .map((one) => one.held),
    ).toEqual(held);
    const save = () => opened.edit((loaded) => loaded.verify());
    if (held.every(Boolean)) save();
    else refuses("kek-mismatch", save);
    bytes.write("several words é");
  }
  expect(new KeysetFile(at, { kek: KEK }).load().generation).toBe(2);
  put("phrase", "several words é\n\n");
  refuses("kek-mismatch", () => new KeysetFile(at, { passphraseFile: phrase }).load());
});

test("files that do not open it", () => {
  const load = (options: KeysetFileOptions) => () => new KeysetFile(path, options).load();
  refuses("source-missing", load({}));
  refuses("source-missing", load({ kek: [] }));
  const secret = put("secret", Uint8Array.of(0xff));
  refuses("source-unreadable", load({ kekFile: secret }));
  refuses("source-unreadable", load({ passphraseFile: secret }));
  refuses("source-unreadable", load({ kekFile: join(folder, "no") }));
  refuses("source-unreadable", load({ passphraseFile: folder }));
  truncateSync(secret, 2_000_000);
  refuses("source-unreadable", load({ kekFile: secret }));
  put("secret", "rsk1.kek.");
  expect(errorOf(load({ kekFile: secret })).message).toMatch(/^kekFile: /);
  refuses("kek-mismatch", load({ passphraseFile: secret }));
  put("secret", Key.generate().export());
  refuses("key-wrong-use", load({ kekFile: secret }));
  refuses("kek-mismatch", load({ kek: OTHER }));
  refuses("keyset-outdated", load({ kek: KEK, minGeneration: 2 }));
  refuses("keyset-wrong-ring", load({ kek: KEK, ring: "a".repeat(26) }));
  for (const content of ["{}", Uint8Array.of(0xff), " ".repeat(2_000_000)]) {
    put("keyset.json", content);
    refuses("keyset-malformed", load({ kek: KEK }));
  }
  truncateSync(path, 2 ** 40);
  refuses("keyset-malformed", load({ kek: KEK }));
  rmSync(path);
  refuses("source-unreadable", load({ kek: KEK }));
  mkdirSync(path);
  refuses("source-unreadable", load({ kek: KEK }));
});

test("wrong arguments", () => {
  const make = (...given: unknown[]) => new KeysetFile(...(given as [string]));
  for (const given of [
    [null],
    [1],
    [new URL("https://example.com/keyset.json")],
    [path, { kek: 1 }],
    [path, { kek: [KEK, 1] }],
    [path, { kekFile: 1 }],
    [path, { kekFile: [1] }],
    [path, { passphrase: 1 }],
    [path, { passphraseFile: [1] }],
    [path, { passphrase: "x", passphraseFile: path }],
    [path, { ring: 1 }],
    [path, { minGeneration: "1" }],
    [path, { kek_file: path }],
    [path, null],
  ]) {
    refuses("invalid-argument", () => make(...given));
  }
  refuses("invalid-key", () => make(path, { kek: "rsk1.kek." }));
  refuses("key-wrong-use", () => make(path, { kek: Key.generate().export() }));
  for (const wrong of [null, undefined, "x", KEK]) {
    refuses("invalid-argument", () => file.save(any(wrong)));
    refuses("invalid-argument", () => file.create(any(wrong)));
    refuses("invalid-argument", () => file.edit(any(wrong)));
  }
});

test("new files", () => {
  const keyset = Keyset.create({ kek: KEK });
  refuses("keyset-conflict", () => file.create(keyset));
  refuses("invalid-argument", () => file.save(keyset));
  expect(keyset.generation).toBe(0);
  expect(labels(file)).toEqual(["first"]);
  const copy = new KeysetFile(join(folder, "copy.json"), { kek: KEK });
  copy.create(file.load());
  expect(copy.load().generation).toBe(2);
  const nowhere = new KeysetFile(join(folder, "no", "keyset.json"));
  refuses("keyset-unwritable", () => nowhere.create(keyset));
});

test("a link is read and not saved to", () => {
  const link = join(folder, "link.json");
  symlinkSync(path, link);
  const linked = new KeysetFile(link, { kek: KEK });
  expect(labels(linked)).toEqual(["first"]);
  refuses("keyset-unwritable", () => linked.edit(() => undefined));
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
  expect(file.load().generation).toBe(1);
});

test("nothing shows what opens the file", () => {
  const [text, secret] = [KEK.export(), "a very secret passphrase"];
  const holder = new KeysetFile(path, { kek: text, passphrase: secret });
  const forbidden = [text.slice(20, 40), secret.slice(2, 15)];
  const silent = (shown: string) => {
    for (const part of forbidden) expect(shown).not.toContain(part);
  };
  silent(inspect(holder, { showHidden: true, depth: 9, getters: true }));
  silent(JSON.stringify([holder, Object.entries(holder)]) + String(holder));
  expect(String(holder)).toBe(`KeysetFile(${JSON.stringify(path)})`);
  for (const step of [
    () => new KeysetFile(path, { kek: text.slice(0, -1) }),
    () => new KeysetFile(text),
    () => new KeysetFile(pathToFileURL(join(folder, text))),
    () => new KeysetFile(path, { kekFile: text }),
    () => new KeysetFile(path, { kekFile: [path, text] }),
    () => new KeysetFile(path, { passphraseFile: text }),
    () => new KeysetFile(path, { kekFile: put("cut", text.slice(0, -1)) }).load(),
    () => new KeysetFile(path, { passphraseFile: put("phrase", secret) }).load(),
    () => new KeysetFile(put("not.json", secret), { kek: KEK }).load(),
    () => holder.load(),
  ]) {
    const error = errorOf(step);
    silent(inspect(error, { showHidden: true, depth: 9 }) + JSON.stringify(error) + String(error));
  }
});

test("there are no files in browsers", async () => {
  await browser.init(readFileSync(new URL("../wasm/dist/reseal.wasm", import.meta.url)));
  const kek = browser.Key.generate("kek");
  const none = new browser.KeysetFile("keyset.json", { kek });
  for (const step of [
    () => none.load(),
    () => none.create(browser.Keyset.create({ kek })),
    () => none.edit(() => undefined),
    () => new browser.KeysetFile("keyset.json", { kekFile: "kek" }).load(),
  ]) {
    let error: unknown;
    try {
      step();
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(browser.KeyringError);
    expect(error).toMatchObject({ code: "source-unreadable" });
    expect((error as Error).message).toContain("there are no files here");
  }
});
