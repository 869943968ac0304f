// The browser entry, in Node: what happens before, in and after init.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as reseal from "reseal/browser";
import { runNode } from "./support.js";

const wasm = readFileSync(new URL("../wasm/dist/reseal.wasm", import.meta.url));
const server = createServer((request, response) => {
  if (request.url === "/reseal.wasm") response.end(wasm);
  else if (request.url === "/page") response.end("<html>not found, politely</html>");
  else response.writeHead(404).end();
});
let base: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
});
afterAll(() => void server.close());

test("before init every call says what to do", () => {
  const { Key, Keyring, Keyset, KeysetFile, LiveKeyring, MemoryKekProvider } = reseal;
  const { inspect, inspectKeyset, toBinary, toText } = reseal;
  for (const call of [
    () => Key.generate(),
    () => Key.parse("rsk1.data.x"),
    () => Key.fromBytes("data", new Uint8Array(32)),
    () => new Keyring({}),
    () => Keyring.fromEnv({}),
    () => LiveKeyring.fromEnv({}),
    () => LiveKeyring.fromKeyset("keyset.json", { passphrase: "two words" }),
    () => Keyset.create({ kek: "x" }),
    () => Keyset.load("{}", { kek: "x" }),
    () => new KeysetFile("keyset.json"),
    () => new MemoryKekProvider(),
    () => inspectKeyset("{}"),
    () => inspect("x"),
    () => toBinary("x"),
    () => toText(new Uint8Array(1)),
  ]) {
    expect(errorOf(call)).toMatchObject({
      code: "not-initialized",
      message: expect.stringContaining("await init()") as string,
    });
  }
});

test("what needs no module works", () => {
  expect(reseal.version).toMatch(/^\d/);
  expect(reseal.ERROR_CODES).toContain("not-initialized");
});

test("init fails with an error of this package, and may be called again", async () => {
  for (const [source, code] of [
    [`${base}/missing.wasm`, "not-initialized"],
    [`${base}/page`, "not-initialized"],
    ["http://127.0.0.1:1/reseal.wasm", "not-initialized"],
    ["not a URL", "not-initialized"],
    [new Uint8Array([0, 97, 115, 109]), "not-initialized"],
    [new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)), "not-initialized"],
    [
      { then: (_: unknown, reject: (e: Error) => void) => reject(new TypeError("offline")) },
      "not-initialized",
    ],
    [7, "invalid-argument"],
    [null, "not-initialized"],
    [{}, "invalid-argument"],
  ] as [never, string][]) {
    const error: unknown = await reseal.init(source).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(reseal.ResealError);
    expect(error).toMatchObject({ code });
  }
});

test("what init could not load is told without what may be secret", async () => {
  const { port } = server.address() as { port: number };
  for (const source of [
    `${base}/missing.wasm?token=hidden#hidden`,
    `http://user:hidden@127.0.0.1:${port}/reseal.wasm`,
    "data:text/plain,hidden",
  ]) {
    const error: unknown = await reseal.init(source).catch((error: unknown) => error);
    expect(error).toMatchObject({
      code: "not-initialized",
      message: expect.stringContaining("deploy reseal.wasm of the package") as string,
    });
    expect(String(error)).not.toContain("hidden");
  }
});

test("init repeats nothing of what the promise that it was given was rejected with", async () => {
  const url = "http://user:hidden@127.0.0.1/reseal.wasm?token=hidden";
  for (const source of [fetch(url), Promise.reject(new Error(url)), Promise.reject(url)]) {
    const error: unknown = await reseal.init(source as never).catch((error: unknown) => error);
    expect(error).toMatchObject({
      code: "not-initialized",
      message: expect.stringContaining("give init the URL") as string,
    });
    expect(String(error)).not.toContain("hidden");
  }
  const own = new reseal.ResealError("source-missing", "as it is");
  expect(await reseal.init(Promise.reject(own)).catch((error: unknown) => error)).toBe(own);
});

test("without fetch init takes bytes, and says so", () => {
  const program = `
    import { readFileSync } from "node:fs";
    for (const name of ["fetch", "Response", "Request"]) delete globalThis[name];
    const { init, Key } = await import("reseal/browser");
    for (const source of [undefined, "http://127.0.0.1/reseal.wasm", {}]) {
      await init(source).catch(({ code, message }) => console.log(code, message));
    }
    await init(readFileSync("../wasm/dist/reseal.wasm"));
    console.log(Key.generate().use);`;
  const missing = "not-initialized reseal.wasm could not be loaded: there is no fetch here: give init the bytes of reseal.wasm"; // prettier-ignore
  const [first, second, third, last] = runNode(program).split("\n");
  expect([first, second]).toEqual([missing, missing]);
  expect(third).toContain("invalid-argument");
  expect(last).toBe("data");
});

test("init starts the module once, also when it is called twice", async () => {
  const both = [reseal.init(`${base}/reseal.wasm`), reseal.init()];
  expect(await Promise.all(both)).toEqual([undefined, undefined]);
  await reseal.init(wasm);
  const { Key, Keyring } = reseal;
  const ring = new Keyring({ primary: Key.generate() });
  for (const value of ["", "x", "hällo 🌍", "\ufeffBOM\0", "é".repeat(100_000)]) {
    expect(ring.openString(ring.seal(value, {}), {})).toBe(value);
  }
  expect(ring.openString(ring.seal("x", { a: "ä".repeat(2048) }), { a: "ä".repeat(2048) })).toBe(
    "x",
  );
});

test("large text is measured, not cut", () => {
  const { Key, Keyring } = reseal;
  const ring = new Keyring({ primary: Key.generate() });
  const wide = "é".repeat(2 ** 23);
  expect(ring.openString(ring.seal(wide, {}), {}) === wide).toBe(true);
  expect(errorOf(() => ring.seal(`${wide}a`, {}))).toMatchObject({ code: "too-large" });
  const context = { a: `${"é".repeat(2048)}a` };
  expect(errorOf(() => ring.seal("x", context))).toMatchObject({ code: "context-invalid" });
});

test("there is no environment and there are no files", () => {
  const { Key, Keyring, LiveKeyring } = reseal;
  expect(errorOf(() => Keyring.fromEnv())).toMatchObject({ code: "invalid-argument" });
  const directory = { RESEAL_KEY_DIR: "/keys", RESEAL_PRIMARY: "a" };
  expect(errorOf(() => Keyring.fromEnv(directory))).toMatchObject({ code: "source-unreadable" });
  const key = Key.generate();
  const variables = { RESEAL_PRIMARY_KEY: key.export() };
  expect(Keyring.fromEnv(variables).primaryId).toBe(key.id);
  expect(LiveKeyring.fromEnv(variables).primaryId).toBe(key.id);
  const options = { kek: Key.generate("kek") };
  const live = LiveKeyring.fromKeyset("keyset.json", options);
  for (const call of [
    () => live.seal("x", {}),
    () => live.refresh(),
    () => Keyring.fromKeyset("keyset.json", options),
    () => Keyring.fromDirectory("keys", { primary: "a" }),
  ]) {
    expect(errorOf(call)).toMatchObject({
      code: "source-unreadable",
      message: expect.stringContaining("no files here") as string,
    });
  }
});

test("a keyset that is fetched", async () => {
  const { Key, Keyring, Keyset } = reseal;
  const kek = Key.generate("kek");
  const keyset = Keyset.create({ kek });
  const id = keyset.rotate("data");
  keyset.addPassphrase("several words");
  const stored = new Response(keyset.save());
  const ring = await Keyring.load({ keyset: () => stored.text(), passphrase: "several words" });
  expect(ring.primaryId).toBe(id);
});

test.each([
  ["URL", `new URL("${new URL("../wasm/dist/reseal.wasm", import.meta.url).href}")`],
  ["Response", "new Response(bytes)"],
  ["a promise of one", "Promise.resolve(new Response(bytes))"],
  ["ArrayBuffer", "bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)"],
  ["DataView", "new DataView(bytes.buffer, bytes.byteOffset, bytes.length)"],
  ["WebAssembly.Module", "new WebAssembly.Module(bytes)"],
])("init takes a %s", (name, source) => {
  const program = `
    import { readFileSync } from "node:fs";
    import { init, Key } from "reseal/browser";
    const bytes = readFileSync("../wasm/dist/reseal.wasm");
    const { fetch } = globalThis;
    globalThis.fetch = (url) => url.protocol === "file:" ? new Response(bytes) : fetch(url);
    await init(${source});
    console.log(Key.generate().use);`;
  expect(runNode(program), name).toBe("data");
});

const lacking: [string, string, string[]][] = [
  ["WebAssembly", "delete globalThis.WebAssembly", []],
  ["WebAssembly", "", ["--jitless"]],
  ["WebAssembly SIMD", "WebAssembly.validate = () => false", []],
];
// On x86-64 SIMD needs this instruction set.
if (process.arch === "x64") lacking.push(["WebAssembly SIMD", "", ["--no-enable-sse4-1"]]);

test.each(lacking)(
  "an engine without %s is engine-unsupported, in every entry: %s %s",
  (what, change, flags) => {
    const program = `
    ${change};
    const show = ({ code, message }) => console.log(code, message.includes("no ${what}: use Node 20"));
    for (const slim of ["", "/slim"]) {
      for (const kind of ["/browser", "/inline"]) {
        const { init } = await import("reseal" + slim + kind);
        await init(new Uint8Array(8)).catch(show);
      }
      for (const kind of ["", "/inline"]) {
        const { Key } = await import("reseal" + slim + kind);
        try { Key.generate() } catch (error) { show(error) }
      }
    }`;
    expect(runNode(program, ...flags)).toBe(Array(8).fill("engine-unsupported true").join("\n"));
  },
);

test("two entries in one program share the module, whichever comes first", () => {
  const program = `
    const first = await import("reseal/inline");
    const second = await import("reseal/browser");
    const ring = new second.Keyring({ primary: first.Key.generate() });
    await second.init(new Uint8Array(8)).catch(({ code }) => console.log(code));
    console.log(ring.openString(ring.seal("x", {}), {}));`;
  expect(runNode(program)).toBe("not-initialized\nx");
});

function errorOf(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}
