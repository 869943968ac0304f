// Keysets in a database, and rings that follow what must be awaited; py-tests/test_sql_keyset.py has
// the same scenarios, and those of both languages at once.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import Sqlite from "libsql";
import mysql from "mysql2/promise";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { Key, Keyring, KeyringError, Keyset, LiveKeyring, ResealError } from "reseal";
import { SqlKeysetStore, type SqlKeysetOptions } from "reseal/sql";
import { connect } from "../wasm/ts/database.js";
import { KINDS, servers, type Kind } from "./database-support.js";
import { Clock, kek, LEASE } from "./live-support.js";

const PASSWORD = "hunter2-of-the-database";
const other = Key.generate("kek");
let folder: string;
let urls: Record<Kind, string>;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reseal-sql-"));
  new Sqlite(join(folder, "app.db")).close();
  urls = { ...servers(), sqlite: `sqlite:///${folder}/app.db` };
});
afterAll(() => rmSync(folder, { recursive: true }));

async function refuses(code: string, call: () => unknown): Promise<void> {
  const error = await Promise.resolve()
    .then(call)
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  expect(error).toBeInstanceOf(ResealError);
  expect(error).toMatchObject({ code });
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(PASSWORD);
}

describe.each(KINDS)("%s", (kind) => {
  let url: string;
  let store: SqlKeysetStore;
  let ring: string;

  const sql = async (text: string): Promise<unknown[][]> => {
    const database = await connect(url);
    try {
      if (text.startsWith("SELECT")) return await database.query(text);
      await database.execute(text);
      return [];
    } finally {
      await database.close();
    }
  };
  const of = (options: SqlKeysetOptions = { kek }) => new SqlKeysetStore(url, options);
  const begun = async (): Promise<string> => {
    const keyset = Keyset.create({ kek, leaseSeconds: LEASE });
    keyset.rotate("data", { label: "first", early: true });
    await of().create(keyset);
    return keyset.ringId;
  };
  const rotate = (to = store) => to.edit((keyset) => keyset.rotate("data", { early: true }));
  const following = async (options = {}): Promise<[LiveKeyring, Clock]> => {
    const clock = new Clock();
    return [await LiveKeyring.follow(store, { clock: clock.read, ...options }), clock];
  };

  beforeEach(async () => {
    url = urls[kind];
    await sql("DROP TABLE IF EXISTS reseal_keysets");
    await sql("DROP TABLE IF EXISTS elsewhere");
    ring = await begun();
    store = of({ kek, ring });
  });

  test("a keyset is created, loaded, saved and edited", async () => {
    const keyset = await store.load();
    expect(keyset.keys().map(({ label }) => label)).toEqual(["first"]);
    keyset.relabel(keyset.keys()[0]!.id, "größer");
    await store.save(keyset);
    expect([keyset.generation, (await store.load()).generation]).toEqual([2, 2]);
    const id = await store.edit(async (edited) => edited.rotate("data", { early: true }));
    expect((await of().keyring()).primaryId).toBe(id);
    expect((await of().load()).keys()[0]?.label).toBe("größer");
    expect(await sql("SELECT ring, generation FROM reseal_keysets")).toEqual([[ring, 3]]);
    await refuses("invalid-argument", () => store.save(Keyset.create({ kek })));
    await refuses("invalid-argument", () => store.save({} as Keyset));
    await refuses("invalid-argument", () => store.edit(1 as never));
  });

  test("of two editors one has to load again, and no edit is lost", async () => {
    const [one, two] = [await store.load(), await store.load()];
    one.introduce("data");
    two.introduce("data");
    await store.save(one);
    await refuses("keyset-conflict", () => store.save(two));
    const edit = () => store.edit((keyset) => keyset.introduce("data"));
    await Promise.all([edit(), edit(), edit(), edit()]);
    expect((await store.load()).keys()).toHaveLength(6);
    let calls = 0;
    const conflicting = store.edit(() => {
      calls += 1;
      throw new KeyringError("keyset-conflict", "of another keyset");
    });
    await refuses("keyset-conflict", () => conflicting);
    expect(calls).toBe(1);
    const failing = store.edit(() => {
      throw new Error("mine");
    });
    await expect(failing).rejects.toThrow("mine");
    expect((await store.load()).generation).toBe(6);
    await sql("DELETE FROM reseal_keysets");
    await refuses("keyset-conflict", () => store.save(one));
  });

  test("a table has several rings", async () => {
    const second = of({ kek, ring: await begun() });
    await refuses("source-conflict", () => of().load());
    await expect(of().load()).rejects.toThrow("name one of them, as ring or as sql:RING");
    await rotate();
    expect((await second.load()).generation).toBe(1);
    const keyset = await store.load();
    await refuses("keyset-wrong-ring", () => second.create(keyset));
    await refuses("keyset-conflict", () => store.create(keyset));
  });

  test("what does not open it, or is not there", async () => {
    await refuses("kek-mismatch", () => of({ kek: other }).load());
    await refuses("source-missing", () => of({}).load());
    await refuses("keyset-outdated", () => of({ kek, minGeneration: 2 }).load());
    await refuses("source-unreadable", () => of({ kek, ring: "a".repeat(26) }).load());
    await refuses("invalid-argument", () => of({ kek, ring: "a" }));
    const path = join(folder, "kek");
    writeFileSync(path, kek.export());
    expect((await of({ kek: [other], kekFile: path }).load()).generation).toBe(1);
    await sql("UPDATE reseal_keysets SET document = '{}'");
    await refuses("keyset-malformed", () => store.load());
    await sql("DELETE FROM reseal_keysets");
    await expect(of().load()).rejects.toThrow("is empty");
    await sql("DROP TABLE reseal_keysets");
    await expect(of().load()).rejects.toThrow("reseal keyset init --keyset sql:");
    await refuses("source-unreadable", () => store.load());
    expect(`${store} ${JSON.stringify(store)} ${inspect(store)}`).not.toContain(url);
  });

  test("a ring follows it", async () => {
    const [live, clock] = await following();
    const [first, stored] = [live.primaryId, live.seal("x", {})];
    const second = await rotate();
    expect(live.primaryId).toBe(first);
    await live.refreshed();
    expect(live.primaryId).toBe(second);
    expect(live.openString(stored, {})).toBe("x");
    expect(live.status()).toMatchObject({ kind: "keyset", ringId: ring, generation: 2 });
    // A call that finds a look due begins it, and does not wait.
    const third = await rotate();
    clock.now += 11;
    expect(live.primaryId).toBe(second);
    await vi.waitFor(() => expect(live.primaryId).toBe(third));
    live.dispose();
    await refuses("invalid-argument", () => live.seal("x", {}));
    await refuses("invalid-argument", () => live.refreshed());
  });

  test("an unknown key begins a look, after which its value opens", async () => {
    const [live, clock] = await following();
    await rotate();
    const stored = (await store.keyring()).seal("x", {});
    clock.now += 2;
    await refuses("unknown-key", () => live.openString(stored, {}));
    await live.refreshed();
    expect(live.openString(stored, {})).toBe("x");
    await rotate();
    const [later] = (await store.keyring()).sealMany(["y"], {}) as [string];
    clock.now += 2;
    expect(live.openManyString([later], {})[0]).toMatchObject({ code: "unknown-key" });
    await vi.waitFor(() => expect(live.openString(later, {})).toBe("y"));
    live.dispose();
  });

  test("without its database it seals for the lease", async () => {
    const [live, clock] = await following();
    const field = live.field({ row: 1 });
    const stored = field.seal("x");
    await sql("ALTER TABLE reseal_keysets RENAME TO elsewhere");
    clock.now += LEASE - 1;
    expect(field.openString(field.seal("x"))).toBe("x");
    await vi.waitFor(() => expect(live.status().lastError?.code).toBe("source-unreadable"));
    clock.now += 2;
    await refuses("ring-stale", () => field.seal("x"));
    await refuses("ring-stale", () => live.sealMany(["x"], {}));
    expect(live.status().stale).toBe(true);
    expect(field.openString(stored)).toBe("x");
    await refuses("source-unreadable", () => live.refreshed());
    await sql("ALTER TABLE elsewhere RENAME TO reseal_keysets");
    await live.refreshed();
    expect(field.openString(field.seal("x"))).toBe("x");
    expect(live.status()).toMatchObject({ stale: false, lastError: undefined });
    live.dispose();
  });

  test("neither an older copy nor another ring is followed", async () => {
    const alone = of();
    const live = await LiveKeyring.follow(alone);
    const document = await alone.read();
    const id = await rotate();
    await live.refreshed();
    await sql(`UPDATE reseal_keysets SET document = '${document.replaceAll("'", "''")}'`);
    await refuses("keyset-outdated", () => live.refreshed());
    await sql("DELETE FROM reseal_keysets");
    await begun();
    await refuses("keyset-wrong-ring", () => live.refreshed());
    expect(live.primaryId).toBe(id);
    live.dispose();
  });

  test("the timer looks without a call, and keeps no process alive", () => {
    const program = `
      import { LiveKeyring } from "reseal";
      import { SqlKeysetStore } from "reseal/sql";
      const store = new SqlKeysetStore(process.env.URL, { kek: process.env.KEK });
      const ring = await LiveKeyring.follow(store, { checkSeconds: 0.05 });
      const id = await store.edit((keyset) => keyset.rotate("data", { early: true }));
      while (ring.status().generation !== 2) await new Promise((resume) => setTimeout(resume, 20));
      console.log(ring.primaryId === id);
    `;
    const options = {
      cwd: fileURLToPath(new URL(".", import.meta.url)),
      env: { ...process.env, URL: url, KEK: kek.export() },
      encoding: "utf8" as const,
      timeout: 50_000,
    };
    const args = ["--input-type=module", "--eval", program];
    expect(execFileSync(process.execPath, args, options)).toBe("true\n");
  });
});

describe("connections", () => {
  test("a pool is followed, and a single connection is not", async () => {
    const pools = [
      new pg.Pool({ connectionString: urls.postgresql, max: 1 }),
      mysql.createPool({ uri: urls.mysql, connectionLimit: 1 }),
    ];
    for (const pool of pools) {
      const store = new SqlKeysetStore(pool, { kek });
      const keyset = Keyset.create({ kek });
      await store.create(keyset);
      const named = new SqlKeysetStore(pool, { kek, ring: keyset.ringId });
      const live = await LiveKeyring.follow(named);
      const id = await named.edit((edited) => edited.rotate("data"));
      await live.refreshed();
      expect(live.primaryId).toBe(id);
      live.dispose();
      await pool.end();
    }
    const database = new Sqlite(":memory:");
    const store = new SqlKeysetStore(database, { kek });
    await store.create(Keyset.create({ kek }));
    expect((await store.keyring()).primaryId).toBeUndefined();
    await refuses("invalid-argument", () => LiveKeyring.follow(store));
    database.close();
  });

  test("who may not make the table is told what to have made", async () => {
    const role = `maker_${process.pid}`;
    const [admin, own] = [await connect(urls.postgresql), await connect(urls.mysql)];
    const told = async (store: SqlKeysetStore) => {
      const creation = store.create(Keyset.create({ kek }));
      await expect(creation).rejects.toMatchObject({ code: "database-error" });
      await expect(creation).rejects.toThrow(
        /^the user may not make the table reseal_keysets \(\w+\): have it made, with the columns ring, generation and document$/,
      );
    };
    const at = (url: string, user: string) => {
      const { protocol, host, pathname } = new URL(url);
      return `${protocol}//${user}:${PASSWORD}@${host}${pathname}`;
    };
    try {
      await admin.execute("DROP TABLE IF EXISTS reseal_keysets");
      await admin.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC");
      await admin.execute(`CREATE ROLE ${role} LOGIN PASSWORD '${PASSWORD}'`);
      await told(new SqlKeysetStore(at(urls.postgresql, role), { kek }));
      await own.execute("DROP TABLE IF EXISTS reseal_keysets");
      await own.execute(`CREATE USER ${role} IDENTIFIED BY '${PASSWORD}'`);
      const [[schema] = []] = await own.query("SELECT DATABASE()");
      await own.execute(`GRANT SELECT ON \`${String(schema)}\`.* TO ${role}`);
      await told(new SqlKeysetStore(at(urls.mysql, role), { kek }));
    } finally {
      await admin.execute(`DROP ROLE IF EXISTS ${role}`);
      await own.execute(`DROP USER IF EXISTS ${role}`);
      await Promise.all([admin.close(), own.close()]);
    }
    const readOnly = new Sqlite(join(folder, "app.db"));
    readOnly.exec("DROP TABLE IF EXISTS reseal_keysets");
    readOnly.exec("PRAGMA query_only = 1");
    await told(new SqlKeysetStore(readOnly, { kek }));
    readOnly.close();
  });

  test("a connection that the server ends is replaced by another one", async () => {
    const pool = new pg.Pool({ connectionString: urls.postgresql, max: 1 });
    pool.on("error", () => undefined);
    const keyset = Keyset.create({ kek });
    await new SqlKeysetStore(pool, { kek }).create(keyset);
    const store = new SqlKeysetStore(pool, { kek, ring: keyset.ringId });
    const live = await LiveKeyring.follow(store);
    const { rows } = await pool.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    const killer = await connect(urls.postgresql);
    await killer.query("SELECT pg_terminate_backend($1)", [rows[0]!.pid]);
    await killer.close();
    const id = await new SqlKeysetStore(urls.postgresql, { kek, ring: keyset.ringId }).edit(
      (edited) => edited.rotate("data"),
    );
    await vi.waitFor(async () => {
      await live.refreshed();
      expect(live.primaryId).toBe(id);
    });
    live.dispose();
    await pool.end();
  });

  test("failures of the database show no password", async () => {
    for (const kind of ["postgresql", "mysql"] as const) {
      const { host } = new URL(urls[kind]);
      for (const at of [host, "127.0.0.1:1"]) {
        const url = `${kind}://nobody:${PASSWORD}@${at}/none`;
        const store = new SqlKeysetStore(url, { kek });
        await refuses("database-error", () => store.load());
        await refuses("database-error", () => LiveKeyring.follow(store));
        expect(inspect(store, { depth: 9, showHidden: true })).not.toContain(PASSWORD);
      }
    }
    await refuses("invalid-argument", () => new SqlKeysetStore("nonsense", { kek }).load());
  });
});

describe("a source of another kind", () => {
  const keyset = Keyset.create({ kek });
  keyset.rotate("data");
  const document = keyset.save();
  const open = (text: string) => Keyset.load(text, { kek });

  test("looks do not overlap, and those who wait share the next one", async () => {
    let [reads, now, most] = [0, 0, 0];
    const read = async () => {
      reads += 1;
      now += 1;
      most = Math.max(most, now);
      await new Promise((resume) => setTimeout(resume, 5));
      now -= 1;
      return document;
    };
    const live = await LiveKeyring.follow({ read, open });
    await Promise.all([live.refreshed(), live.refreshed(), live.refreshed()]);
    expect([reads, most]).toEqual([2, 1]);
    const late = live.refreshed();
    await Promise.resolve();
    await Promise.all([late, live.refreshed()]);
    expect(most).toBe(1);
    live.dispose();
  });

  test("nor does one that a call begins while another ends", async () => {
    let [now, most] = [0, 0];
    let live: LiveKeyring | undefined;
    const busy = async () => {
      for (let i = 0; i < 50; i++) await Promise.resolve(live?.keys());
    };
    const read = async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resume) => setTimeout(resume, 2));
      now -= 1;
      void busy();
      return document;
    };
    const followed = (live = await LiveKeyring.follow({ read, open }, { checkSeconds: 0 }));
    for (let i = 0; i < 10; i++) await Promise.all([followed.refreshed(), followed.keys()]);
    expect(most).toBe(1);
    live = undefined;
    followed.dispose();
  });

  test("one that throws at once is looked at again", async () => {
    let reads = 0;
    const read = () => {
      reads += 1;
      if (reads === 2) throw new TypeError(PASSWORD);
      return Promise.resolve(document);
    };
    const live = await LiveKeyring.follow({ read, open }, { checkSeconds: 0, reloadSeconds: 0 });
    live.keys();
    expect(reads).toBe(2);
    await vi.waitFor(() => expect(reads).toBeGreaterThan(2));
    await live.refreshed();
    expect(live.status().lastError).toBeUndefined();
    live.dispose();
  });

  test("a clock that throws beside the calls ends nothing", async () => {
    let broken = false;
    const read = () => Promise.resolve(document);
    const clock = (): number => {
      if (broken) throw new RangeError(PASSWORD);
      return performance.now() / 1000;
    };
    const live = await LiveKeyring.follow({ read, open }, { checkSeconds: 3600, clock });
    const look = live.refreshed();
    await Promise.resolve();
    broken = true;
    const error: unknown = await look.catch((error: unknown) => error);
    expect(error).toMatchObject({
      code: "source-unreadable",
      message: "the clock of the ring failed with RangeError",
    });
    broken = false;
    expect(live.status().lastError).toMatchObject({ code: "source-unreadable" });
    await live.refreshed();
    expect(live.status().lastError).toBeUndefined();
    live.dispose();
  });

  test("and looks go on once it is mended", async () => {
    let [reads, fails] = [0, 0];
    let broken = false;
    const read = () => Promise.resolve((reads++, document));
    const clock = (): number => {
      if (!broken) return performance.now() / 1000;
      fails += 1;
      throw new RangeError("broken");
    };
    const live = await LiveKeyring.follow({ read, open }, { checkSeconds: 0, clock });
    broken = true;
    await vi.waitFor(() => expect(fails).toBeGreaterThan(3));
    broken = false;
    const before = reads;
    await vi.waitFor(() => expect(reads).toBeGreaterThan(before));
    live.dispose();
  });

  test.each(["", "ring.dispose();"])(
    "one that never answers keeps no process alive (%s)",
    (end) => {
      const program = `
      import { Keyset, LiveKeyring } from "reseal";
      const { DOCUMENT, KEK } = process.env;
      let reads = 0;
      const read = () => (reads++ === 0 ? Promise.resolve(DOCUMENT) : new Promise(() => {}));
      const source = { read, open: (text) => Keyset.load(text, { kek: KEK }) };
      const ring = await LiveKeyring.follow(source, { checkSeconds: 0.01 });
      while (reads < 2) await new Promise((resume) => setTimeout(resume, 5));
      ${end}
      console.log("done");
    `;
      const options = {
        cwd: fileURLToPath(new URL(".", import.meta.url)),
        env: { ...process.env, DOCUMENT: document, KEK: kek.export() },
        encoding: "utf8" as const,
        timeout: 20_000,
      };
      const args = ["--input-type=module", "--eval", program];
      expect(execFileSync(process.execPath, args, options)).toBe("done\n");
    },
  );

  test("a process that awaits its look goes on until the look is given up", () => {
    const program = `
      import { Keyset, LiveKeyring } from "reseal";
      const { setTimeout: wait } = globalThis;
      globalThis.setTimeout = (call, ms) => wait(call, ms / 100);
      const read = () => new Promise(() => {});
      const open = (text) => Keyset.load(text, { kek: "" });
      await LiveKeyring.follow({ read, open }).catch(({ code }) => console.log(code));
    `;
    const options = {
      cwd: fileURLToPath(new URL(".", import.meta.url)),
      encoding: "utf8" as const,
      timeout: 20_000,
    };
    const args = ["--input-type=module", "--eval", program];
    expect(execFileSync(process.execPath, args, options)).toBe("source-unreadable\n");
  });

  test("reads that hang are few, and looks go on once they end", async () => {
    vi.useFakeTimers();
    try {
      const hanging: (() => void)[] = [];
      let reads = 0;
      let isOpen = true;
      const read = async () => {
        reads += 1;
        if (!isOpen) await new Promise<void>((resume) => hanging.push(resume));
        return document;
      };
      const live = await LiveKeyring.follow({ read, open });
      isOpen = false;
      await vi.advanceTimersByTimeAsync(300_000);
      expect(hanging).toHaveLength(2);
      expect(live.status().lastError).toMatchObject({ code: "source-unreadable" });
      expect(live.status().lastError!.message).toContain("have had no answer");
      // A read may hang for ever, and the next one may not.
      await vi.advanceTimersByTimeAsync(600_000);
      expect(hanging).toHaveLength(3);
      isOpen = true;
      for (const resume of hanging) resume();
      const before = reads;
      await vi.advanceTimersByTimeAsync(2_000);
      expect(reads).toBeGreaterThan(before);
      expect(live.status().lastError).toBeUndefined();
      live.dispose();
    } finally {
      vi.useRealTimers();
    }
  });

  test("a look that is cut off with its timer does not keep others from looking", async () => {
    const clock = new Clock();
    let reads = 0;
    let isCut = false;
    let late = (_: string) => {};
    const newer = Keyset.load(document, { kek });
    const id = newer.rotate("data", { early: true });
    const next = newer.save();
    const read = () => {
      reads += 1;
      return isCut ? new Promise<string>((resume) => (late = resume)) : Promise.resolve(next);
    };
    const first = async () => (reads++ === 0 ? document : read());
    const live = await LiveKeyring.follow({ read: first, open }, { clock: clock.read });
    isCut = true;
    // As in Workers, where the timers of a request end with it, and its promises never do.
    const timers = vi.spyOn(globalThis, "setTimeout").mockReturnValue(0 as never);
    clock.now += 20;
    live.keys();
    timers.mockRestore();
    await vi.waitFor(() => expect(reads).toBe(3));
    const waiting = live.refreshed();
    clock.now += 20;
    live.keys();
    expect(reads).toBe(3);
    isCut = false;
    clock.now += 20;
    await live.refreshed();
    expect(live.primaryId).toBe(id);
    expect(live.status().lastError).toBeUndefined();
    await waiting;
    // What comes late is the older one.
    late(document);
    await new Promise((resume) => setTimeout(resume, 5));
    expect(live.status()).toMatchObject({ generation: 2, lastError: undefined });
    live.dispose();
  });

  test("a keyset of another copy is told, and so is one that must be awaited", async () => {
    const slim = await import("reseal/slim");
    const read = async () => document;
    const error: unknown = await slim.LiveKeyring.follow({ read, open: open as never }).catch(
      (error: unknown) => error,
    );
    expect(error).toMatchObject({ code: "invalid-argument" });
    expect((error as Error).message).toContain("this Keyset is of another copy of the package");
    for (const awaited of [
      async (text: string) => open(text),
      // Nobody is there to handle it, which would end the process.
      () => Promise.reject(new Error(PASSWORD)),
    ]) {
      const failed = LiveKeyring.follow({ read, open: awaited as never });
      await expect(failed).rejects.toThrow("open gives a Keyset, at once");
      await refuses("invalid-argument", () => failed);
    }
    const store = new SqlKeysetStore(urls.sqlite, { kek });
    const foreign = slim.Keyset.create({ kek: kek.export() });
    await refuses("invalid-argument", () => store.create(foreign as never));
    await expect(store.create(foreign as never)).rejects.toThrow("another copy of the package");
  });

  test("what it throws is told without its words", async () => {
    let fails = false;
    const read = async () => {
      if (fails) throw new TypeError(PASSWORD);
      return document;
    };
    const live = await LiveKeyring.follow({ read, open });
    fails = true;
    await refuses("source-unreadable", () => live.refreshed());
    expect(live.status().lastError).toBeInstanceOf(KeyringError);
    expect(live.openString(live.seal("x", {}), {})).toBe("x");
    live.dispose();
    await refuses("source-unreadable", () => LiveKeyring.follow({ read, open }));
  });

  test("a ring that was disposed during a look stays so", async () => {
    let release = () => {};
    let reads = 0;
    const read = async () => {
      reads += 1;
      if (reads > 1) await new Promise<void>((resume) => (release = resume));
      return document;
    };
    const live = await LiveKeyring.follow({ read, open });
    const waiting = live.refreshed();
    await vi.waitFor(() => expect(reads).toBe(2));
    live.dispose();
    release();
    await waiting;
    await refuses("invalid-argument", () => live.status());
    expect(String(live)).toBe("LiveKeyring(disposed)");
  });

  test("arguments are checked, and refresh says what to do instead", async () => {
    await refuses("invalid-argument", () => LiveKeyring.follow({} as never));
    await refuses("invalid-argument", () => LiveKeyring.follow(undefined as never));
    await refuses("invalid-argument", () =>
      LiveKeyring.follow({ read: async () => document, open }, { speed: 1 } as never),
    );
    const live = await LiveKeyring.follow({ read: async () => document, open });
    expect(live).toBeInstanceOf(Keyring);
    await refuses("invalid-argument", () => live.refresh());
    live.dispose();
  });

  test("variables cannot name it in Node, and the message says what does", async () => {
    const env = { RESEAL_KEYSET: "sql:", RESEAL_KEK: kek.export() };
    expect(() => Keyring.fromEnv(env)).toThrow("SqlKeysetStore of reseal/sql");
    await refuses("source-unreadable", () => Keyring.fromEnv(env));
    await refuses("source-unreadable", () => LiveKeyring.fromEnv(env).refreshed());
  });
});
