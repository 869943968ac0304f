// Reading key files and keysets, and making key files. saves.test.ts saves keysets.
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { FileHost } from "../wasm/ts/cli-files.js";
import { createPrivateFile, readKeyset, readSecret } from "../wasm/ts/node-files.js";
import { refuses, text, useFolder } from "./files-support.js";
import { read } from "./support.js";

const MIB = 1_048_576;

let folder: string;
let file: string;
useFolder((path) => {
  folder = path;
  file = join(folder, "keyset.json");
  writeFileSync(file, "old");
});

test("files are read as they are, through links and from URLs", () => {
  writeFileSync(file, "key\r\n\n");
  const link = join(folder, "link");
  symlinkSync("keyset.json", link);
  for (const path of [file, link, pathToFileURL(file)]) {
    expect(text(readSecret(path))).toBe("key\r\n\n");
    expect(text(readKeyset(path))).toBe("key\r\n\n");
  }
  for (const path of [
    undefined,
    null,
    7,
    {},
    Buffer.from(file),
    new URL("http://a/b"),
  ] as never[]) {
    for (const step of [readSecret, readKeyset]) {
      refuses("invalid-argument", () => step(path));
    }
  }
});

test.each([
  ["secrets", readSecret, 65_536, "source-unreadable"],
  ["keysets", readKeyset, MIB, "keyset-malformed"],
] as const)("%s have a largest size", (_, read, limit, code) => {
  writeFileSync(file, "x".repeat(limit));
  expect(read(file)).toHaveLength(limit);
  for (const size of [limit + 1, 2 * MIB, 2 ** 40]) {
    truncateSync(file, size);
    const { message } = refuses(code, () => read(file, "RESEAL_SOURCE"));
    expect(message).toMatch(/^RESEAL_SOURCE: /);
    expect(message).toContain(JSON.stringify(file));
    expect(message).toContain(String(limit));
  }
});

test("what is no file does not block, and is refused by name", () => {
  execFileSync("mkfifo", [join(folder, "fifo")]);
  symlinkSync("nowhere", join(folder, "dangling"));
  symlinkSync("circle", join(folder, "circle"));
  symlinkSync("/dev/zero", join(folder, "device"));
  for (const name of [
    "fifo",
    "dangling",
    "circle",
    "device",
    "none",
    ".",
    "a\0b",
    "x".repeat(300),
  ]) {
    for (const read of [readSecret, readKeyset]) {
      const path = `${folder}/${name}`;
      const { message } = refuses("source-unreadable", () => read(path, "RESEAL_SOURCE"));
      expect(message).toContain(`RESEAL_SOURCE: cannot read ${JSON.stringify(path)}: `);
    }
  }
});

test("a secret that others may read gives one warning", async () => {
  const warnings: Error[] = [];
  const listen = (warning: Error) => void warnings.push(warning);
  process.on("warning", listen);
  try {
    for (const mode of [0o600, 0o640, 0o604, 0o644]) {
      chmodSync(file, mode);
      expect(text(readSecret(file, "RESEAL_KEK_FILE"))).toBe("old");
      await sleep(10);
      expect(warnings).toHaveLength((mode & 7) === 0 ? 0 : 1);
    }
    readKeyset(file);
    await sleep(10);
  } finally {
    process.off("warning", listen);
  }
  expect(warnings.map(({ name }) => name)).toEqual(["KeyFileWarning"]);
  expect(warnings[0]!.message).toContain(`RESEAL_KEK_FILE: everybody on this machine`);
  expect(warnings[0]!.message).toContain(file);
});

test("facts tell kind and rights of the file, and whether the path is a link", () => {
  const link = join(folder, "link");
  symlinkSync("keyset.json", link);
  chmodSync(file, 0o640);
  const facts = (path: string) => [...(new FileHost().fileFacts(path) ?? [])].slice(0, 3);
  expect(facts(link)).toEqual([0, 1, 0o640]);
  expect(facts(file)).toEqual([0, 0, 0o640]);
  expect(facts(folder)).toEqual([1, 0, statSync(folder).mode & 0o777]);
  expect(facts(join(folder, "none"))).toEqual([]);
});

test("of a file its beginning is read, however long it is", () => {
  const host = new FileHost();
  for (const length of [0, 3, 64, 65, 5 * MIB]) {
    writeFileSync(file, "x".repeat(length));
    expect(text(host.readBeginning(file))).toBe("x".repeat(Math.min(length, 64)));
  }
  refuses("source-unreadable", () => host.readBeginning(join(folder, "none")));
});

test("a private file is new, and for its owner", () => {
  const path = join(folder, "key");
  const before = process.umask(0);
  createPrivateFile(path, Buffer.from("secret\n"));
  process.umask(before);
  expect(readFileSync(path, "utf8")).toBe("secret\n");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  symlinkSync("elsewhere", join(folder, "link"));
  for (const name of ["key", "link", "."]) {
    const step = () => createPrivateFile(join(folder, name), Buffer.from("other"));
    expect(refuses("keyset-unwritable", step).message).toContain("exists already");
  }
  refuses("keyset-unwritable", () =>
    createPrivateFile(join(folder, "none", "key"), Buffer.from("other")),
  );
  expect(readdirSync(folder)).toEqual(["key", "keyset.json", "link"]);
});

test("the entry for browsers knows no files", () => {
  const imported = /(?:from |import |require\()["'](?:node:)?(?:fs|os|url|crypto)["']/;
  for (const name of ["browser.mjs", "browser.cjs"]) {
    expect(imported.test(read(`../wasm/dist/${name}`))).toBe(false);
  }
  for (const name of ["node.mjs", "node.cjs"]) {
    expect(imported.test(read(`../wasm/dist/${name}`))).toBe(true);
  }
});
