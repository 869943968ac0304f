// Rings that follow a source: when they look, what they keep, and when they stop sealing.
import { fork } from "node:child_process";
import type { EventEmitter } from "node:events";
import fs, {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { basename, join } from "node:path";
import { inspect as shown } from "node:util";
import { Worker } from "node:worker_threads";
import { expect, test, vi } from "vitest";
import {
  codecs,
  Column,
  inspect,
  Key,
  Keyring,
  KeyringError,
  Keyset,
  KeysetFile,
  LiveKeyring,
  ResealError,
  toBinary,
  type LiveKeysetOptions,
} from "reseal";
import { useFolder } from "./files-support.js";
import { Clock, kek, LEASE, newFile, rotate } from "./live-support.js";
import { errorOf, refuses } from "./support.js";

let folder: string;
let clock: Clock;
let file: KeysetFile;
let live: LiveKeyring;
useFolder((made) => {
  folder = made;
  clock = new Clock();
  file = newFile(folder);
  live = follow();
});

const follow = (options: Partial<LiveKeysetOptions> = {}): LiveKeyring =>
  LiveKeyring.fromKeyset(file.path, { kek, clock: clock.read, ...options });
const put = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const away = () => renameSync(file.path, join(folder, "elsewhere"));
const back = () => renameSync(join(folder, "elsewhere"), file.path);
const generation = () => live.status().generation;

type Steps = (() => unknown)[];

const options = { index: "i" };

function sealing(ring: Keyring): Steps {
  const field = ring.field({ row: 1 });
  return [
    () => ring.seal("x", {}),
    () => ring.seal("x", {}, "deterministic"),
    () => ring.sealBinary("x", {}),
    () => ring.sealMany(["x"], {}),
    () => ring.sealManyBinary(["x"], {}),
    () => ring.canary(),
    () => field.seal("x"),
    () => field.sealBinary("x"),
    () => field.sealMany(["x"]),
    () => field.sealManyBinary(["x"]),
    () => ring.indexTerm("x", {}, options),
    () => field.indexTerm("x", options),
    () => columnOver(ring).indexTerm("x", "i"),
  ];
}

/** A column that writes tokens, so that only its terms need the ring. */
function columnOver(ring: Keyring): Column {
  const write = codecs.fernet({ keys: ["cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="] });
  return new Column({ write, read: [codecs.reseal(ring)], indexes: [options] });
}

/** What goes on without a lease. `stored` is under the primary, in the empty context. */
function others(ring: Keyring, stored: string): Steps {
  const [field, binary] = [ring.field({}), toBinary(stored)];
  return [
    () => ring.open(stored, {}),
    () => ring.openString(stored, {}) === "x",
    () => ring.openBinary(binary, {}),
    () => ring.openMany([stored], {})[0] instanceof Uint8Array,
    () => ring.openManyString([stored], {})[0] === "x",
    () => ring.openManyBinary([binary], {})[0] instanceof Uint8Array,
    () => ring.isCurrent(stored),
    () => ring.isCurrentBinary(binary),
    () => ring.reseal(stored, {}) === stored,
    () => ring.resealBinary(binary, {}) === binary,
    () => ring.lookupValues("x", {}),
    () => ring.lookupValuesBinary("x", {}),
    () => ring.indexTerms("x", {}, options),
    () => columnOver(ring).indexTerms("x", "i"),
    () => ring.keys(),
    () => ring.primaryId,
    () => ring.indexPrimaryId,
    () => field.open(stored),
    () => field.openString(stored) === "x",
    () => field.openBinary(binary),
    () => field.isCurrent(stored),
    () => field.isCurrentBinary(binary),
    () => field.reseal(stored) === stored,
    () => field.resealBinary(binary) === binary,
    () => field.openMany([stored])[0] instanceof Uint8Array,
    () => field.openManyString([stored])[0] === "x",
    () => field.openManyBinary([binary])[0] instanceof Uint8Array,
    () => field.lookupValues("x"),
    () => field.lookupValuesBinary("x"),
    () => field.indexTerms("x", options),
    () => ring.check(stored) === "auth-failed",
  ];
}

test("it is a keyring", () => {
  expect(live).toBeInstanceOf(Keyring);
  expect(String(live)).toBe("LiveKeyring(not loaded)");
  for (const step of [...sealing(live), ...others(live, live.seal("x", {}))]) {
    expect(step(), String(step)).toBeTruthy();
  }
  expect(String(live)).toMatch(/^LiveKeyring\(/);
  expect(String(live)).toContain(live.primaryId);
});

test("it looks when it is used", () => {
  const first = live.primaryId;
  const second = rotate(file);
  expect(live.primaryId).toBe(first);
  clock.now += 9.9;
  expect(live.primaryId).toBe(first);
  clock.now += 0.1;
  expect(live.primaryId).toBe(second);
  expect(generation()).toBe(2);
});

test("nothing is read before the first use", () => {
  away();
  const unused = follow();
  unused.field({ table: "users" });
  expect(unused.status().lastError).toBeUndefined();
  back();
  expect(unused.primaryId).toBe(file.load().primaryId);
});

test("fields follow too", () => {
  const field = live.field({ table: "users" }, "padded");
  const old = field.seal("x", { row: 1 });
  expect(field.isCurrent(old)).toBe(true);
  const second = rotate(file);
  clock.now += 10;
  expect(field.isCurrent(old)).toBe(false);
  expect(inspect(field.seal("x", { row: 1 })).keyId).toBe(second);
  expect(field.openString(old, { row: 1 })).toBe("x");
  expect(inspect(field.reseal(old, { row: 1 })).keyId).toBe(second);
});

test("refresh looks at once", () => {
  const [first, second] = [live.primaryId, rotate(file)];
  live.refresh();
  expect(live.primaryId).toBe(second);
  expect(first).not.toBe(second);
  away();
  for (let i = 0; i < 2; i++) refuses("source-unreadable", () => live.refresh());
  expect(live.status().lastError?.code).toBe("source-unreadable");
  expect(live.primaryId).toBe(second);
  back();
  live.refresh();
  expect(live.status().lastError).toBeUndefined();
});

test("the lease", () => {
  const [stored, padded] = [live.seal("x", {}), live.seal("x", {}, "padded")];
  const binary = toBinary(padded);
  away();
  clock.now += LEASE - 1;
  expect(live.seal("x", {})).toBeTruthy();
  clock.now += 1;
  expect(live.status().stale).toBe(true);
  for (const step of sealing(live)) {
    expect(refuses("ring-stale", step)).toBeInstanceOf(KeyringError);
  }
  for (const step of others(live, stored)) expect(step(), String(step)).toBeTruthy();
  refuses("ring-stale", () => live.reseal(padded, {}, "random"));
  refuses("ring-stale", () => live.resealBinary(binary, {}, "random"));
  refuses("ring-stale", () => live.field({}).reseal(padded));
  refuses("ring-stale", () => live.field({}).resealBinary(binary));
  back();
  clock.now += 1;
  for (const step of sealing(live)) expect(step()).toBeTruthy();
  expect(live.status().stale).toBe(false);
});

test("idle for longer than the lease", () => {
  for (const step of sealing(live)) {
    expect(step()).toBeTruthy();
    clock.now += 10 * LEASE;
  }
  expect(live.reseal(live.seal("x", {}, "padded"), {})).toBeTruthy();
});

test("a machine that was asleep looks before it seals", () => {
  let [awake, time] = [5000, 1_795_132_800_000];
  vi.spyOn(performance, "now").mockImplementation(() => awake);
  vi.spyOn(Date, "now").mockImplementation(() => time);
  try {
    live = follow({ clock: undefined });
    const first = live.primaryId;
    const second = rotate(file);
    expect(live.primaryId).toBe(first);
    // `performance.now` stands still meanwhile.
    time += 8 * 3_600_000;
    expect(live.primaryId).toBe(second);
    away();
    time += LEASE * 1000;
    awake += 1;
    refuses("ring-stale", () => live.seal("x", {}));
    expect(live.status().confirmedSecondsAgo).toBe(LEASE);
    back();
    // A clock that is set back turns nothing back.
    time -= 3_600_000;
    awake += 10_000;
    live.seal("x", {});
    expect(live.status().confirmedSecondsAgo).toBe(0);
  } finally {
    vi.restoreAllMocks();
  }
});

test("a ring id that is empty is no ring id", () => {
  for (const make of [
    () => follow({ ring: "" }),
    () => Keyring.fromKeyset(file.path, { kek, ring: "" }),
    () => new KeysetFile(file.path, { kek, ring: "" }),
  ]) {
    refuses("invalid-argument", make);
  }
});

test("an idle process is not stale", () => {
  expect(live.seal("x", {})).toBeTruthy();
  clock.now += 10 * LEASE;
  expect(live.status().stale).toBe(false); // it looks first, and then seals
  away();
  expect(live.status().stale).toBe(false); // this looks at nothing
  refuses("ring-stale", () => live.seal("x", {}));
  expect(live.status().stale).toBe(true);
  back();
  live.refresh();
  expect(live.status().stale).toBe(false);
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

test("a lease is renewed in time", () => {
  const slow = follow({ checkSeconds: 3600 });
  for (let i = 0; i < 10; i++) {
    expect(slow.seal("x", {})).toBeTruthy();
    clock.now += LEASE / 2;
    expect(slow.status().stale).toBe(false);
  }
});

test("a source that vanishes and comes back", () => {
  const [stored, first] = [live.seal("x", {}), live.primaryId];
  away();
  clock.now += 10;
  expect(live.openString(stored, {})).toBe("x");
  expect(live.status()).toMatchObject({
    lastError: { code: "source-unreadable" },
    confirmedSecondsAgo: 10,
  });
  back();
  const second = rotate(file);
  clock.now += 0.9;
  expect(live.primaryId).toBe(first); // it looks for it once in a second
  clock.now += 0.1;
  expect(live.primaryId).toBe(second);
  expect(live.status().lastError).toBeUndefined();
});

test.each(["", "{}", "\xff", "{".repeat(2_000_000)])("a source that breaks: %#", (content) => {
  const stored = live.seal("x", {});
  writeFileSync(file.path, content, "latin1");
  clock.now += 10;
  expect(live.openString(stored, {})).toBe("x");
  expect(live.status().lastError).toBeInstanceOf(ResealError);
  refuses("keyset-malformed", () => live.refresh());
});

test("without a source at the start", () => {
  away();
  expect(live.status().lastError).toBeUndefined();
  const errors = sealing(live).map((step) => refuses("source-unreadable", step));
  expect(new Set(errors).size).toBe(errors.length);
  back();
  refuses("source-unreadable", () => live.primaryId); // it is not yet time
  clock.now += 1;
  expect(live.primaryId).toBeTruthy();
});

test("an unknown key is looked for once a second", () => {
  live.seal("x", {});
  clock.now += 1;
  rotate(file);
  const fresh = file.load().keyring().seal("x", {});
  const stranger = new Keyring({ primary: Key.generate() }).seal("x", {});
  expect(live.openString(fresh, {})).toBe("x");
  expect(generation()).toBe(2);
  rotate(file);
  refuses("unknown-key", () => live.open(stranger, {}));
  expect(generation()).toBe(2);
  clock.now += 1;
  refuses("unknown-key", () => live.open(stranger, {}));
  expect(generation()).toBe(3);
});

test("every way to open looks for an unknown key", () => {
  const ways: ((fresh: string, padded: string, old: string, canary: string) => unknown)[] = [
    (fresh) => live.open(fresh, {}),
    (fresh) => live.openString(fresh, {}) === "x",
    (fresh) => live.openBinary(toBinary(fresh), {}),
    (fresh, _, old) => live.openMany([old, fresh, old], {}).every((x) => x instanceof Uint8Array),
    (fresh, _, old) => live.openManyString([old, fresh], [{}, {}]).join() === "x,x",
    (fresh) => live.openManyBinary([toBinary(fresh)], {})[0] instanceof Uint8Array,
    (_, padded) => live.isCurrent(live.reseal(padded, {})),
    (_, padded) => live.isCurrentBinary(live.resealBinary(toBinary(padded), {})),
    (fresh) => live.field({}).open(fresh),
    (fresh) => live.field({}).openString(fresh) === "x",
    (fresh) => live.field({}).openBinary(toBinary(fresh)),
    (fresh) => live.field({}).openManyString([fresh])[0] === "x",
    (_, padded) => live.field({}).openString(live.field({}).reseal(padded)) === "x",
    (_, padded) => live.field({}).openBinary(live.field({}).resealBinary(toBinary(padded))),
    (fresh) => live.field({}).openString(fresh, {}) === "x",
    (_, __, ___, canary) => live.check(canary) === "ok",
  ];
  for (const way of ways) {
    const old = live.seal("x", {});
    rotate(file);
    const ring = file.load().keyring();
    clock.now += 1;
    const before = generation();
    const result = way(ring.seal("x", {}), ring.seal("x", {}, "padded"), old, ring.canary());
    expect(result, String(way)).toBeTruthy();
    expect(generation()).toBe(before! + 1);
  }
});

test("an older copy is refused", () => {
  const old = readFileSync(file.path);
  const second = rotate(file);
  expect(live.primaryId).toBe(second);
  writeFileSync(file.path, old);
  clock.now += 10;
  expect(live.primaryId).toBe(second);
  refuses("keyset-outdated", () => live.refresh());
  clock.now += LEASE;
  refuses("ring-stale", () => live.seal("x", {}));
});

test("another ring is refused", () => {
  const first = live.primaryId;
  unlinkSync(file.path);
  const other = Keyset.create({ kek });
  other.rotate("data");
  file.create(other);
  refuses("keyset-wrong-ring", () => live.refresh());
  clock.now += 10;
  expect(live.primaryId).toBe(first);
});

test("a key that is disabled while it runs", () => {
  const [stored, first] = [live.seal("x", {}), live.primaryId!];
  rotate(file);
  file.edit((keyset) => keyset.disable(first));
  clock.now += 10;
  refuses("key-disabled", () => live.open(stored, {}));
});

test("status", () => {
  expect(live.status()).toEqual({
    kind: "keyset",
    generation: undefined,
    ringId: undefined,
    leaseSeconds: 0,
    confirmedSecondsAgo: undefined,
    stale: false,
    lastError: undefined,
  });
  live.refresh();
  clock.now += 2.5;
  expect(live.status()).toEqual({
    kind: "keyset",
    generation: 1,
    ringId: file.load().ringId,
    leaseSeconds: LEASE,
    confirmedSecondsAgo: 2.5,
    stale: false,
    lastError: undefined,
  });
});

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

test.each(["soon", null, undefined, -1, NaN, Infinity, 1e300, 5n])(
  "a clock that is none: %s",
  (answer) => {
    const ring = follow({ clock: () => answer as number });
    refuses("invalid-argument", () => ring.primaryId);
    refuses("invalid-argument", () => ring.status());
  },
);

test("what a clock throws is thrown", () => {
  const ring = follow({
    clock: () => {
      throw new RangeError("broken");
    },
  });
  expect(() => ring.seal("x", {})).toThrow(RangeError);
  expect(String(ring)).toBe("LiveKeyring(not loaded)");
});

test("a clock that fails after a look loses no ring", () => {
  const answers = [1];
  const ring = follow({
    clock: () => {
      const answer = answers.pop();
      if (answer === undefined) throw new RangeError("broken");
      return answer;
    },
  });
  expect(() => ring.seal("x", {})).toThrow(RangeError);
  expect(String(ring)).not.toBe("LiveKeyring(not loaded)");
  answers.push(...Array<number>(10).fill(1));
  expect(ring.seal("x", {})).toBeTruthy();
  expect(ring.status().lastError).toBeUndefined();
});

test("a clock that goes back causes a look", () => {
  live.seal("x", {});
  const second = rotate(file);
  clock.now -= 500;
  expect(live.primaryId).toBe(second);
});

test("a clock that uses the ring, or disposes of it", () => {
  const codes: string[] = [];
  let depth = 0;
  let act: () => unknown = () => nested.seal("a log line", {});
  const nested = follow({
    checkSeconds: 0,
    reloadSeconds: 0,
    clock: () => {
      if (depth === 0) {
        depth += 1;
        try {
          act();
          codes.push("ok");
        } catch (error) {
          codes.push((error as ResealError).code);
        }
        depth -= 1;
      }
      return clock.now++;
    },
  });
  for (let i = 0; i < 3; i++) {
    rotate(file);
    const stored = nested.seal("x", {});
    expect(nested.openString(nested.reseal(stored, {}, "padded"), {})).toBe("x");
  }
  expect(new Set(codes)).toEqual(new Set(["ok"]));
  act = () => nested.dispose();
  refuses("invalid-argument", () => nested.seal("x", {}));
});

test("a context that uses the ring while it is read", () => {
  const eager = follow({ checkSeconds: 0, reloadSeconds: 0 });
  const context = {
    get row() {
      rotate(file);
      clock.now += 1;
      return eager.seal("x", {}).length;
    },
  };
  const stored = eager.seal("x", context);
  expect(eager.openString(stored, context)).toBe("x");
  const field = eager.field({});
  expect(field.openString(field.reseal(field.seal("x", context), context), context)).toBe("x");
  expect(eager.openManyString(eager.sealMany(["x"], [context]) as string[], [context])).toEqual([
    "x",
  ]);
});

test.each(["disk", "clock"])("after a slow look there is a pause: %s", (failing) => {
  const stored = live.seal("x", {});
  const { openSync } = fs;
  let looks = 0;
  fs.openSync = ((...given: Parameters<typeof openSync>) => {
    if (given[0] === file.path) {
      looks += 1;
      clock.now += 20;
      if (failing === "disk") throw Object.assign(new Error("away"), { code: "EIO" });
    }
    return openSync(...given);
  }) as typeof openSync;
  syncBuiltinESMExports();
  try {
    clock.now += 10;
    for (const seconds of [0, 0.5, 0.4]) {
      clock.now += seconds;
      expect(live.openString(stored, {})).toBe("x");
    }
    expect(looks).toBe(1);
    clock.now += 0.2;
    live.open(stored, {});
    expect(looks).toBe(2);
  } finally {
    fs.openSync = openSync;
    syncBuiltinESMExports();
  }
});

test("within checkSeconds nothing is read", () => {
  const stored = live.seal("x", {});
  away();
  clock.now += 9.9;
  for (const step of [...sealing(live), ...others(live, stored)]) expect(step()).toBeTruthy();
  expect(live.status().lastError).toBeUndefined();
});

test.each(["checkSeconds", "reloadSeconds"])("seconds that are none: %s", (name) => {
  for (const value of ["1", -1, NaN, Infinity, [], null, 1e30, 1n]) {
    refuses("invalid-argument", () => follow({ [name]: value }));
  }
});

test("wrong arguments", () => {
  const make = LiveKeyring.fromKeyset.bind(LiveKeyring);
  for (const options of [
    {},
    { kek, kekFile: "x" },
    { kek: [kek] },
    { passphrase: 1 },
    { kek, ring: "x" },
    { kek, minGeneration: -1 },
    null,
    [],
  ] as never[]) {
    refuses("invalid-argument", () => make(file.path, options));
    refuses("invalid-argument", () => Keyring.fromKeyset(file.path, options));
  }
  for (const options of [
    { kek, clock: 1 },
    { kek, seconds: 1 },
    { kek, clock: null },
  ] as never[]) {
    refuses("invalid-argument", () => make(file.path, options));
  }
  refuses("invalid-argument", () => LiveKeyring.fromEnv({}, { kek } as never));
  refuses("invalid-argument", () => LiveKeyring.fromDirectory(folder, {} as never));
  refuses("invalid-argument", () => make(1 as never, { kek }));
  const Made = LiveKeyring as unknown as new (given?: unknown) => LiveKeyring;
  for (const given of [undefined, {}, { primary: Key.generate() }]) {
    refuses("invalid-argument", () => new Made(given));
  }
});

test("what must be awaited is no live ring", async () => {
  const load = LiveKeyring.load as unknown as (options: unknown) => Promise<unknown>;
  const error: unknown = await load({ keyset: "", kek }).catch((error: unknown) => error);
  expect((error as ResealError).code).toBe("invalid-argument");
});

test("dispose", () => {
  const field = live.field({});
  const stored = live.seal("x", {});
  for (let i = 0; i < 2; i++) live.dispose();
  for (const step of [
    ...[() => live.seal("x", {}), () => live.open(stored, {}), () => live.keys()],
    ...[() => field.seal("x"), () => field.open(stored), () => live.field({})],
    ...[() => live.refresh(), () => live.status(), () => live.check(stored)],
  ]) {
    expect(refuses("invalid-argument", step).message).toContain("disposed");
  }
  expect(String(live)).toBe("LiveKeyring(disposed)");
  const unused = follow();
  unused.dispose();
  refuses("invalid-argument", () => unused.seal("x", {}));
});

test("nothing shows a secret", () => {
  file.edit((keyset) => keyset.addPassphrase("several words"));
  const key = Key.generate().export();
  const path = put("key", key);
  const rings = [
    live,
    follow({ kek: kek.export() }),
    LiveKeyring.fromKeyset(file.path, { passphrase: "several words", clock: clock.read }),
    LiveKeyring.fromEnv({ RESEAL_PRIMARY_KEY_FILE: path }, { clock: clock.read }),
  ];
  const secrets = ["several words", key.slice(10, 40), kek.export().slice(9, 40)];
  const all: unknown[] = [];
  for (const ring of rings) {
    ring.refresh();
    all.push(ring, ring.status(), ring.field({}));
  }
  for (const name of ["keyset.json", "key"]) put(name, `${kek.export()} several words`);
  for (const ring of rings)
    all.push(
      errorOf(() => ring.refresh()),
      ring.status(),
    );
  for (const value of all) {
    const texts = [
      shown(value, { depth: null, showHidden: true, getters: true }),
      JSON.stringify(value),
      String(value),
      value instanceof Error ? value.stack : "",
      JSON.stringify(structuredClone(value instanceof Keyring ? {} : { ...(value as object) })),
    ];
    for (const secret of secrets) for (const text of texts) expect(text).not.toContain(secret);
  }
});

const follower = new URL("./fixtures/follower.mjs", import.meta.url);

test("processes and threads each follow by themselves", async () => {
  const child = fork(follower);
  const worker = new Worker(follower);
  const ask = {
    child: (stored: string) => asked(child, () => child.send(question(stored))),
    worker: (stored: string) => asked(worker, () => worker.postMessage(question(stored))),
  };
  const question = (stored: string) => ({ path: file.path, kek: kek.export(), stored });
  const own = follow({ reloadSeconds: 0 });
  try {
    for (let round = 0; round < 3; round++) {
      own.refresh();
      const stored = own.seal("x", {});
      for (const member of [ask.child, ask.worker]) {
        const answer = await member(stored);
        expect(answer).toMatchObject({ opened: "x", primaryId: file.load().primaryId });
        expect(own.openString(answer.sealed, {})).toBe("y");
      }
      rotate(file);
    }
  } finally {
    child.kill();
    await worker.terminate();
  }
});

interface Answer {
  readonly opened: string;
  readonly primaryId: string;
  readonly sealed: string;
}

function asked(member: EventEmitter, ask: () => unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    member.once("message", resolve);
    member.once("error", reject);
    member.once("exit", () => reject(new Error("it ended")));
    ask();
  });
}
