// Saving keysets. py-tests/test_editors.py has processes of both languages at once.
import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createPrivateFile, readKeyset } from "../wasm/ts/node-files.js";
import { saveKeyset } from "../wasm/ts/node-save.js";
import { refuses, text, useFolder } from "./files-support.js";

const KILLS = Number(process.env["RESEAL_KILLS"] || 30);
const MIB = 1_048_576;
const [OLD, NEW] = [Buffer.from("old"), Buffer.from("new")];

let folder: string;
let file: string;
let lock: string;
useFolder((path) => {
  folder = path;
  file = join(folder, "keyset.json");
  lock = `${file}.lock`;
  writeFileSync(file, OLD);
});

let bundle: string;
beforeAll(() => {
  bundle = join(mkdtempSync(join(tmpdir(), "reseal-writer-")), "keyset-writer.mjs");
  const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
  const source = path("fixtures/keyset-writer.ts");
  const options = ["--bundle", "--platform=node", "--format=esm", "--log-level=warning"];
  const esbuild = path("../wasm/node_modules/.bin/esbuild");
  execFileSync(esbuild, [...options, source, `--outfile=${bundle}`]);
});
afterAll(() => rmSync(dirname(bundle), { recursive: true }));

test("a keyset is made, and replaced as a whole", () => {
  rmSync(file);
  const before = process.umask(0);
  saveKeyset(file, undefined, OLD);
  process.umask(before);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  saveKeyset(file, OLD, Buffer.alloc(MIB, "x"));
  chmodSync(file, 0o640);
  saveKeyset(pathToFileURL(file), new Uint8Array(MIB).fill(120), NEW);
  expect(statSync(file).mode & 0o777).toBe(0o640);
  expect(text(readKeyset(file))).toBe("new");
  expect(readdirSync(folder)).toEqual(["keyset.json"]);
});

test("links of folders count, and are not worked out from the text of a path", () => {
  mkdirSync(join(folder, "a", "b"), { recursive: true });
  symlinkSync("a/b", join(folder, "link"));
  saveKeyset(`${folder}/link/../keyset.json`, undefined, NEW);
  expect(readFileSync(file, "utf8")).toBe("old");
  expect(readdirSync(join(folder, "a"))).toEqual(["b", "keyset.json"]);
});

test("what is not what was loaded is a conflict", () => {
  for (const loaded of [undefined, Buffer.alloc(0), Buffer.from("older"), Buffer.from("ole")]) {
    const { message } = refuses("keyset-conflict", () => saveKeyset(file, loaded, NEW));
    expect(message).toContain(file);
  }
  expect(readFileSync(file, "utf8")).toBe("old");
  rmSync(file);
  refuses("keyset-conflict", () => saveKeyset(file, OLD, NEW));
  expect(readdirSync(folder)).toEqual([]);
});

test("what cannot be saved leaves everything as it was", () => {
  symlinkSync("keyset.json", join(folder, "link"));
  symlinkSync("nowhere", join(folder, "dangling"));
  execFileSync("mkfifo", [join(folder, "fifo")]);
  const before = readdirSync(folder);
  for (const name of ["link", "dangling", "fifo", "", "none/keyset.json", "keyset.json/x"]) {
    refuses("keyset-unwritable", () => saveKeyset(`${folder}/${name}`, undefined, NEW));
  }
  expect(
    refuses("keyset-unwritable", () => saveKeyset(join(folder, "link"), OLD, NEW)).message,
  ).toContain("path of the file itself");
  refuses("keyset-unwritable", () => saveKeyset(file, OLD, Buffer.alloc(MIB + 1)));
  // A limit for the size of files fails in the middle of writing, as a full disk does.
  const program = 'ulimit -f 8; exec "$@"';
  const step = [process.execPath, bundle, "try", "grow", "100000", file];
  const limited = spawnSync("sh", ["-c", program, "sh", ...step], { encoding: "utf8" });
  expect(JSON.parse(limited.stdout)).toMatchObject({ code: "keyset-unwritable" });
  expect(limited.stdout).toContain("EFBIG");
  expect(readdirSync(folder)).toEqual(before);
  expect(readFileSync(file, "utf8")).toBe("old");
});

test("a directory that is read-only", () => {
  chmodSync(file, 0o644);
  chmodSync(folder, 0o555);
  // Root writes everywhere, so it becomes nobody for a while.
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.(65534);
  try {
    const { message } = refuses("keyset-unwritable", () => saveKeyset(file, OLD, NEW));
    expect(message).toContain("EACCES");
    refuses("keyset-unwritable", () => createPrivateFile(join(folder, "key"), NEW));
  } finally {
    if (root) process.seteuid?.(0);
    chmodSync(folder, 0o755);
  }
  expect(readdirSync(folder)).toEqual(["keyset.json"]);
});

/** Puts a lock, and gives its token: of a dead process of this system, if nothing else is said. */
function putLock(path: string, changes: object = {}): string {
  const token = randomBytes(16).toString("hex");
  const { pid } = spawnSync(process.execPath, ["--version"]);
  const who = { pid, host: hostname(), place: place(), token, ...changes };
  writeFileSync(path, JSON.stringify(who));
  return token;
}

function place(): string {
  if (process.platform !== "linux") return hostname();
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
}

test("locks of the dead are removed, and those of who wanted to remove them", () => {
  const token = putLock(lock);
  const second = putLock(`${lock}.${token}`);
  putLock(`${lock}.${second}`);
  saveKeyset(file, OLD, NEW);
  expect(readdirSync(folder)).toEqual(["keyset.json"]);
});

test("a lock that says nothing is removed after a while", () => {
  let loaded = OLD;
  for (const content of [
    "",
    '{"pid": 1, "host": "x", "place": "", "token": "../x"}',
    "[".repeat(9999),
  ]) {
    writeFileSync(lock, content);
    saveKeyset(file, loaded, (loaded = Buffer.from(`after ${content.length}`)));
    expect(readdirSync(folder)).toEqual(["keyset.json"]);
  }
});

test("a lock of another machine stands", () => {
  const token = putLock(lock, { pid: 4711, host: "db-1", place: "elsewhere" });
  const { message } = refuses("keyset-conflict", () => saveKeyset(file, OLD, NEW));
  for (const part of ["4711", "db-1", JSON.stringify(lock)]) expect(message).toContain(part);
  expect(readFileSync(lock, "utf8")).toContain(token);
  expect(readFileSync(file, "utf8")).toBe("old");
});

test("a dead lock that another process is removing is left to it", () => {
  const token = putLock(lock);
  putLock(`${lock}.${token}`, { pid: process.pid });
  refuses("keyset-conflict", () => saveKeyset(file, OLD, NEW));
  expect(readFileSync(lock, "utf8")).toContain(token);
});

test("a kill leaves the old file or the new one, and the next writer gets through", async () => {
  rmSync(file);
  saveKeyset(file, undefined, numbered(0));
  let [number, locks, saves] = [0, 0, 0];
  for (let kill = 0; kill < KILLS; kill++) {
    await startAndKill(spawn(process.execPath, [bundle, "churn", file]));
    const content = Buffer.from(readKeyset(file));
    const found = parseInt(text(content));
    expect(content.equals(numbered(found))).toBe(true);
    locks += Number(existsSync(lock));
    saves += found - number;
    number = found + 1;
    saveKeyset(file, content, numbered(number));
    expect(readdirSync(folder).filter((name) => name.includes("lock"))).toEqual([]);
  }
  // Some were killed while they had the lock, and some had saved before.
  expect(locks).toBeGreaterThan(0);
  expect(saves).toBeGreaterThan(0);
  // What they left is beside the file, and goes with a later save.
  expect(readdirSync(folder)).not.toEqual(["keyset.json"]);
  const old = Date.now() / 1000 - 61;
  for (const name of readdirSync(folder)) utimesSync(join(folder, name), old, old);
  saveKeyset(file, numbered(number), NEW);
  expect(readdirSync(folder)).toEqual(["keyset.json"]);
}, 600_000);

async function startAndKill(victim: ChildProcess): Promise<void> {
  await once(victim.stdout!, "data");
  await sleep(Math.random() * 100);
  victim.kill("SIGKILL");
  await once(victim, "exit");
}

/** As in fixtures/keyset-writer.ts: a content that shows whether it is whole. */
function numbered(number: number): Buffer {
  const body = `${number} ${"x".repeat(200_000)}`;
  return Buffer.from(`${body} ${createHash("sha256").update(body).digest("hex")}`);
}
