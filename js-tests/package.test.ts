// The package itself: version, exports, codes.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import * as reseal from "reseal";
import manifest from "reseal/package.json" with { type: "json" };
import { read, refuses, specCodes } from "./support.js";

const NAMES = [
  "Column",
  "DecryptError",
  "ERROR_CODES",
  "Field",
  "FormatError",
  "Key",
  "Keyring",
  "KeyringError",
  "Keyset",
  "KeysetFile",
  "LiveKeyring",
  "Manifest",
  "MemoryKekProvider",
  "PlaintextWarning",
  "ResealError",
  "codecs",
  "init",
  "inspect",
  "inspectKeyset",
  "toBinary",
  "toText",
  "version",
];

test("there is one version: of the package, of its face, of the crates", () => {
  expect(reseal.version).toBe(manifest.version);
  expect(read("../Cargo.toml")).toContain(`version = "${manifest.version}"`);
});

test("every class has its name, in all bundles", async () => {
  // A bundler renames a class that refers to itself.
  const require = createRequire(import.meta.url);
  const bundles = [
    reseal,
    require("reseal") as typeof reseal,
    await import("reseal/browser"),
    require("reseal/browser") as typeof reseal,
    await import("reseal/inline"),
    require("reseal/inline") as typeof reseal,
  ];
  for (const bundle of bundles) {
    const named = [...Object.entries(bundle), ...Object.entries(bundle.codecs)];
    const classes = named.filter(([name, value]) => {
      return /^[A-Z][a-z]/.test(name) && typeof value === "function";
    });
    expect(classes.length).toBeGreaterThan(14);
    for (const [name, value] of classes) expect((value as { name: string }).name).toBe(name);
  }
});

test("it exports what the README says, and no more", () => {
  expect(Object.keys(reseal).sort()).toEqual(NAMES);
});

test("CommonJS gets the same", () => {
  const required = createRequire(import.meta.url)("reseal") as typeof reseal;
  expect(Object.keys(required).sort()).toEqual(NAMES);
  const ring = new required.Keyring({ primary: required.Key.generate() });
  expect(ring.openString(ring.seal("x", {}), {})).toBe("x");
});

test("CommonJS starts where Node has a document", () => {
  const program = `
    globalThis.document = { baseURI: "http://localhost/" };
    for (const name of ["reseal", "reseal/slim"]) {
      const { Key, Keyring } = require(name);
      const ring = new Keyring({ primary: Key.generate() });
      console.log(ring.openString(ring.seal(name, {}), {}));
    }
    const { census } = require("reseal/jobs");
    census("sqlite:///x", { manifest: "nowhere.toml" }).catch(({ code }) => console.log(code));
  `;
  const options = { cwd: fileURLToPath(new URL(".", import.meta.url)), encoding: "utf8" } as const;
  const output = execFileSync(process.execPath, ["--eval", program], options);
  expect(output.split("\n")).toEqual(["reseal", "reseal/slim", "source-unreadable", ""]);
});

test("Node starts where the globals for text are missing, as in jsdom", () => {
  const cwd = fileURLToPath(new URL(".", import.meta.url));
  const program = `
    for (const name of ["TextDecoder", "TextEncoder", "fetch", "Response", "Request"]) delete globalThis[name];
    for (const name of ["reseal", "reseal/slim"]) {
      const { Key, Keyring, Keyset } = LOAD(name);
      const ring = new Keyring({ primary: Key.generate() });
      console.log(ring.openString(ring.seal("é" + name, {}), {}));
      Keyset.create({ kek: Key.generate("kek") }).save();
    }
    const { census } = LOAD("reseal/jobs");
    census("sqlite:///x", { manifest: "nowhere.toml" }).catch(({ code }) => console.log(code));
  `;
  for (const [load, type] of [
    ["require", "commonjs"],
    ["await import", "module"],
  ] as const) {
    const args = [`--input-type=${type}`, "--eval", program.replaceAll("LOAD", load)];
    const output = execFileSync(process.execPath, args, { cwd, encoding: "utf8" });
    expect(output.split("\n")).toEqual(["éreseal", "éreseal/slim", "source-unreadable", ""]);
  }
});

test("a proxy of an object is told, which lacks what is private to it", () => {
  const { codecs, Column, Key, Keyring, Keyset, Manifest } = reseal;
  const proxy = <T extends object>(of: T): T => new Proxy(of, {});
  const ring = new Keyring({ primary: Key.generate() });
  const kek = proxy(Key.generate("kek"));
  const manifest = Manifest.parse('version = 1\n[codecs.app]\nkind = "reseal"\nkeyring = "env"');
  for (const [name, call] of [
    ["Key", () => new Keyring({ primary: proxy(Key.generate()) })],
    ["Key", () => Keyset.create({ kek })],
    ["Key", () => Keyring.fromKeyset("nowhere.json", { kek })],
    ["Keyring", () => codecs.reseal(proxy(ring))],
    ["Keyring", () => manifest.codec("app", { rings: { app: proxy(ring) } })],
    ["Codec", () => new Column({ write: proxy(codecs.reseal(ring)) })],
  ] as const) {
    const { message } = refuses("invalid-argument", call);
    expect(message).toContain(`a proxy of a ${name} is none: give the ${name} itself`);
  }
});

test("objects of another copy are told, which look the same", () => {
  const other = createRequire(import.meta.url)("reseal") as typeof reseal;
  const key = other.Key.generate();
  const ring = new other.Keyring({ primary: key });
  const kek = other.Key.generate("kek");
  const keyset = other.Keyset.create({ kek });
  const file = new reseal.KeysetFile("nowhere.json");
  for (const [name, call] of [
    ["Key", () => new reseal.Keyring({ primary: key })],
    ["Key", () => reseal.Keyset.create({ kek })],
    ["Key", () => reseal.Keyset.load("{}", { kek })],
    ["Keyring", () => reseal.codecs.reseal(ring)],
    ["Keyset", () => file.create(keyset as never)],
    ["Codec", () => new reseal.Column({ write: other.codecs.plain() })],
  ] as const) {
    const { message } = refuses("invalid-argument", call);
    expect(message).toContain(`this ${name} is of another copy of the package`);
  }
  const hostile = Object.defineProperty({}, "constructor", { get: () => expect.fail() as never });
  refuses("invalid-argument", () => new reseal.Keyring({ primary: hostile as never }));
});

test("the browser entry has the same", async () => {
  const browser = await import("reseal/browser");
  expect(Object.keys(browser).sort()).toEqual(NAMES);
});

test("so has the one that holds the module, and what it seals opens everywhere", async () => {
  const inline = await import("reseal/inline");
  expect(Object.keys(inline).sort()).toEqual(NAMES);
  const ring = new inline.Keyring({ primary: inline.Key.generate() });
  await inline.init();
  expect(ring.openString(ring.seal("x", {}), {})).toBe("x");
});

test("the slim entries have all but the manifest and the formats of other systems", async () => {
  const slims = [
    await import("reseal/slim"),
    await import("reseal/slim/browser"),
    await import("reseal/slim/inline"),
    createRequire(import.meta.url)("reseal/slim") as typeof import("reseal/slim"),
  ];
  for (const slim of slims) {
    expect(Object.keys(slim).sort()).toEqual(NAMES.filter((name) => name !== "Manifest"));
    expect(Object.keys(slim.codecs).sort()).toEqual(["Codec", "plain", "recognize", "reseal"]);
  }
});

test("a slim module opens what the whole one sealed, and says what it leaves out", async () => {
  const { Key, Keyring, Keyset } = await import("reseal/slim");
  const key = reseal.Key.generate();
  const stored = new reseal.Keyring({ primary: key }).seal("x", { row: 1 });
  const ring = new Keyring({ primary: key.export() });
  expect(ring.openString(stored, { row: 1 })).toBe("x");
  expect(() => Keyset.create({ passphrase: "two words" })).toThrow("leaves out passphrases");
  expect(Keyset.create({ kek: Key.generate("kek") }).keys()).toEqual([]);
});

test("in Node init has nothing to do", async () => {
  expect(await reseal.init()).toBeUndefined();
});

test("the codes are those of spec/errors.md, in its order", () => {
  expect([...reseal.ERROR_CODES]).toEqual([...specCodes().keys()]);
  expect(Object.isFrozen(reseal.ERROR_CODES)).toBe(true);
});

test("the codes are those of the core, in its order", () => {
  const rows = read("../core/src/error.rs").matchAll(/^ {4}\w+ "([a-z-]+)" (\w+) "/gm);
  const codes = Array.from(rows, ([, code, kind]) => [code, kind]);
  const kinds = [...specCodes()].map(([code, name]) => [code, name.replace("Error", "")]);
  expect(codes).toEqual(kinds.map(([code, kind]) => [code, kind === "Reseal" ? "Other" : kind]));
});

test("importing it loads and draws nothing", () => {
  const file = readFileSync(createRequire(import.meta.url).resolve("reseal"), "utf8");
  expect(file).not.toMatch(/^initSync\(/m);
});

test("no file of it names the folder that it was built in", () => {
  const dist = new URL("../wasm/dist/", import.meta.url);
  const folder = fileURLToPath(new URL("../", import.meta.url));
  const files = readdirSync(dist, { recursive: true, encoding: "utf8" });
  const built = files.filter((file) => /\.(?:[cm]?js|map|ts|cts|wasm)$/.test(file));
  expect(built).toContain("slim/inline.mjs");
  const naming = built.filter((file) => readFileSync(new URL(file, dist)).includes(folder));
  expect(naming).toEqual([]);
});
