// The lock file of a keyset, by which processes of Python and Node exclude each other.
//
// `keyset.json.lock` says in JSON who holds it. It comes to be with its content, by a hard link, so
// that a process that is killed leaves no half of one. A lock whose holder is dead is removed by
// one process only: by the one that holds the lock whose name ends in the dead one's token. That
// second lock is taken by the same rules, and so may be left behind just as safely. As tokens are
// never used twice, nobody can remove a lock that is not the very one that was seen to be dead.
//
// The same protocol stands in python/reseal/_lock.py.
import { Buffer } from "node:buffer";
import {
  closeSync,
  fstatSync,
  linkSync,
  openSync,
  readlinkSync,
  readFileSync,
  readSync,
} from "node:fs";
import { hostname } from "node:os";
import { KeyringError } from "./errors.js";
import {
  NO_FOLLOW,
  pause,
  quoted,
  READ_FLAGS,
  remove,
  splitPath,
  systemCode,
  writeNew,
} from "./node-disk.js";

const WAIT_MS = 5000;
/** A lock without content, of a file system without hard links: its writer has this time. */
const CUT_MS = 2000;
const POLL_MS = [10, 50] as const;
const MAX_LOCK_BYTES = 4096;
/** Killed breakers of killed breakers; more are no accident. */
const MAX_DEPTH = 8;
const CUT = "cut";
/** It holds no secret, and whoever may change the keyset can tell whether it is a dead one's. */
const LOCK_MODE = 0o644;
const TOKEN = /^[0-9a-f]{32}$/;

/** What a lock file says; of what cannot be read, that it is there. */
interface Holder {
  /** The content and the time of its last change: what tells one lock from the next. */
  readonly seen: string | undefined;
  readonly who?: Who | undefined;
}

interface Who {
  readonly pid: number;
  readonly host: string;
  readonly place: string;
  readonly token: string;
}

/** Does a step while holding the lock of a file. Errors: `keyset-conflict`; system errors. */
export function withLock(name: string, step: (lock: FileLock) => void): void {
  const lock = new FileLock(name);
  try {
    lock.acquire();
    step(lock);
  } finally {
    lock.release();
  }
}

export class FileLock {
  readonly path: string;
  readonly #name: string;
  readonly #token = newToken();
  readonly #place = place();
  readonly #candidate: string;
  readonly #cutSince = new Map<string, number>();

  constructor(name: string) {
    const [folder, base] = splitPath(name);
    this.path = `${name}.lock`;
    this.#name = name;
    this.#candidate = folder + temporaryName(base, this.#token);
  }

  acquire(): void {
    writeNew(this.#candidate, this.#content(), LOCK_MODE, { sync: false });
    try {
      const deadline = performance.now() + WAIT_MS;
      while (!this.#take(this.path, 0)) {
        if (performance.now() >= deadline) throw this.#conflict();
        pause(POLL_MS[0] + Math.floor(Math.random() * (POLL_MS[1] - POLL_MS[0])));
      }
    } finally {
      remove(this.#candidate);
    }
  }

  release(): void {
    this.#drop(this.path);
  }

  /** Whether nobody has taken the lock away, such as a person who removed its file. */
  isHeld(): boolean {
    return this.#has(this.path);
  }

  #take(path: string, depth: number): boolean {
    if (this.#create(path)) return true;
    const found = look(path);
    if (found === undefined || depth > MAX_DEPTH) return false;
    // A network file system may report a failure that was none.
    if (found.who?.token === this.#token) return true;
    if (!this.#isDead(path, found)) return false;
    const breaker = `${this.path}.${found.who?.token ?? CUT}`;
    if (this.#take(breaker, depth + 1)) {
      if (look(path)?.seen === found.seen) remove(path);
      this.#drop(breaker);
    }
    return false;
  }

  #create(path: string): boolean {
    try {
      linkSync(this.#candidate, path);
      return true;
    } catch (error) {
      return systemCode(error) === "EEXIST" ? false : this.#createWithoutLink(path);
    }
  }

  #createWithoutLink(path: string): boolean {
    try {
      writeNew(path, this.#content(), LOCK_MODE, { sync: false });
    } catch (error) {
      if (systemCode(error) === "EEXIST") return false;
      throw error;
    }
    return this.#has(path); // not if that took so long that it counted as cut
  }

  #has(path: string): boolean {
    return look(path)?.who?.token === this.#token;
  }

  #drop(path: string): void {
    if (this.#has(path)) remove(path);
  }

  #content(): Uint8Array {
    const who: Who = {
      pid: process.pid,
      host: hostname(),
      place: this.#place,
      token: this.#token,
    };
    return Buffer.from(JSON.stringify(who));
  }

  #isDead(path: string, { seen, who }: Holder): boolean {
    if (seen === undefined) return false;
    if (who !== undefined) return who.place === this.#place && !isAlive(who.pid);
    const key = `${path}\n${seen}`;
    const now = performance.now();
    const since = this.#cutSince.get(key) ?? now;
    this.#cutSince.set(key, since);
    return now - since >= CUT_MS;
  }

  #conflict(): KeyringError {
    const who = look(this.path)?.who;
    const by = who === undefined ? "somebody" : `process ${who.pid} on host ${quoted(who.host)}`;
    return new KeyringError(
      "keyset-conflict",
      `${quoted(this.#name)} is being changed by ${by}: try again, ` +
        `or remove ${quoted(this.path)} if that is over`,
    );
  }
}

/** The name of a file that is to become another, beside it. */
export function temporaryName(base: string, token = newToken()): string {
  return `.${base}.${token}.tmp`;
}

/** Whether a file was left behind by a process that was killed, unless it is new. */
export function isLeftover(base: string, name: string): boolean {
  const between = (start: string, end: string) =>
    name.startsWith(start) && name.endsWith(end)
      ? name.slice(start.length, name.length - end.length)
      : "";
  const breaking = between(`${base}.lock.`, "");
  return breaking === CUT || TOKEN.test(breaking) || TOKEN.test(between(`.${base}.`, ".tmp"));
}

/** Who holds a lock; undefined if nobody does. */
function look(path: string): Holder | undefined {
  try {
    const handle = openSync(path, READ_FLAGS | NO_FOLLOW);
    try {
      const stats = fstatSync(handle, { bigint: true });
      if (!stats.isFile()) return { seen: undefined };
      const buffer = Buffer.alloc(MAX_LOCK_BYTES);
      const text = buffer.toString("utf8", 0, readSync(handle, buffer));
      return { seen: `${stats.mtimeNs} ${text}`, who: parse(text) };
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    return systemCode(error) === "ENOENT" ? undefined : { seen: undefined };
  }
}

function parse(text: string): Who | undefined {
  try {
    const { pid, host, place, token } = JSON.parse(text) as Partial<Record<keyof Who, unknown>>;
    const isPid = Number.isInteger(pid) && (pid as number) > 0 && (pid as number) < 2 ** 31;
    const isText = [host, place, token].every((part) => typeof part === "string");
    if (!isPid || !isText || !TOKEN.test(token as string)) return undefined;
    return { pid, host, place, token } as Who;
  } catch {
    return undefined;
  }
}

/** Where a process id means the same process: this start of this machine, and this container. */
function place(): string {
  if (process.platform !== "linux" && process.platform !== "android") return hostname();
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return newToken(); // nobody can tell, so nobody takes this lock away
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) !== "ESRCH";
  }
  try {
    const facts = readFileSync(`/proc/${pid}/stat`, "latin1");
    // What was killed stays in the list until its parent has asked for it.
    return !["Z", "X"].includes(facts.charAt(facts.lastIndexOf(") ") + 2));
  } catch {
    return true;
  }
}

/** From the global `crypto`: to load the module `node:crypto` takes longer than many a command. */
function newToken(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex");
}
