// Reads key files and keysets, and makes key files. node-save.ts changes keysets.
// Whatever a path leads to: nothing here blocks, reads without end, or shows what it has read.
// The same stands in python/reseal/_files.py.
import { closeSync, fstatSync, openSync, readSync, statSync, type Stats } from "node:fs";
import { KeyringError } from "./errors.js";
import type { Bytes } from "./memory.js";
import {
  type PathLike,
  pathText,
  pause,
  placed,
  POSIX,
  prefix,
  quoted,
  READ_FLAGS,
  Refusal,
  syncDirectory,
  systemCode,
  unreadable,
  unwritable,
  writeNew,
} from "./node-disk.js";

const MAX_SECRET_BYTES = 65_536;
export const MAX_KEYSET_BYTES = 1_048_576;

const WRITER_COMES_MS = 1000;
const WRITER_WRITES_MS = 30_000;
const PIPE_PAUSE_MS = 10;
const OTHERS = 0o007;
const warned = new Set<string>();

/**
 * The whole of a file with a key or a passphrase, a final newline included. Links are followed.
 * Warns once per path if the file gives rights to everybody. A relative path counts from `folder`;
 * with `pipes` it may lead to a pipe.
 *
 * Errors: `source-unreadable`, which names `variable` and the path.
 */
export function readSecret(
  path: PathLike,
  variable?: string,
  folder?: string,
  { pipes = false } = {},
): Bytes {
  const name = pathText(path);
  const check = (stats: Stats): void => warnIfOpen(name, variable, stats);
  try {
    const content = read(placed(name, folder), MAX_SECRET_BYTES, { check, pipes });
    if (content.length <= MAX_SECRET_BYTES) return content;
    content.fill(0);
    throw new Refusal(`it has more than ${MAX_SECRET_BYTES} bytes (64 KiB), which no key has`);
  } catch (error) {
    throw unreadable(name, variable, error);
  }
}

/**
 * The bytes of a keyset file. Links are followed; no lock is needed.
 *
 * Errors: `source-unreadable`; `keyset-malformed` if it is too large to be a keyset.
 */
export function readKeyset(path: PathLike, variable?: string, folder?: string): Bytes {
  const name = pathText(path);
  try {
    const content = read(placed(name, folder), MAX_KEYSET_BYTES);
    if (content.length <= MAX_KEYSET_BYTES) return content;
  } catch (error) {
    throw unreadable(name, variable, error);
  }
  const why = `has more than ${MAX_KEYSET_BYTES} bytes (1 MiB), which no keyset has`;
  throw new KeyringError("keyset-malformed", `${prefix(variable)}${quoted(name)} ${why}`);
}

/**
 * Writes a new file that only its owner may read. A file that exists is left as it is.
 *
 * Errors: `keyset-unwritable`.
 */
export function createPrivateFile(path: PathLike, content: Uint8Array): void {
  const name = pathText(path);
  try {
    writeNew(name, content, 0o600);
    syncDirectory(name);
    warnIfOpen(name, undefined, statSync(name)); // on a file system that keeps no rights
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw unwritable(name, error);
    const why = "exists already, and is left as it is: give another name";
    throw new KeyringError("keyset-unwritable", `${quoted(name)} ${why}`);
  }
}

interface ReadOptions {
  readonly check?: ((stats: Stats) => void) | undefined;
  readonly pipes?: boolean;
}

/** Up to one byte more than the limit. */
export function read(
  name: string,
  limit: number,
  { check, pipes = false }: ReadOptions = {},
): Bytes {
  const handle = openSync(name, READ_FLAGS);
  try {
    const stats = fstatSync(handle);
    if (pipes && stats.isFIFO()) return readPipe(handle, limit + 1);
    if (!stats.isFile()) throw new Refusal("it is no regular file");
    check?.(stats);
    return readUpTo(handle, limit + 1);
  } finally {
    closeSync(handle);
  }
}

/**
 * What comes out of a pipe, as of `<(…)` of a shell. Nobody waits for ever: a second for a writer
 * to come, and half a minute for it to write.
 */
function readPipe(handle: number, room: number): Bytes {
  const buffer = new Uint8Array(room);
  const began = performance.now();
  let length = 0;
  while (length < room) {
    const more = readNow(handle, buffer, length);
    if (more === 0 && length > 0) break;
    length += more ?? 0;
    if (more !== undefined && more > 0) continue;
    if (performance.now() > began + (more === 0 ? WRITER_COMES_MS : WRITER_WRITES_MS)) {
      buffer.fill(0, 0, length);
      throw new Refusal("it is a pipe, and nobody writes to it");
    }
    pause(PIPE_PAUSE_MS);
  }
  const content = buffer.slice(0, length);
  buffer.fill(0, 0, length);
  return content;
}

/** The number of bytes read; undefined where there are none yet. */
function readNow(handle: number, buffer: Uint8Array, at: number): number | undefined {
  try {
    return readSync(handle, buffer, at, buffer.length - at, null);
  } catch (error) {
    if (systemCode(error) === "EAGAIN") return undefined;
    throw error;
  }
}

function readUpTo(handle: number, room: number): Bytes {
  const buffer = new Uint8Array(room);
  let length = 0;
  for (let more = 1; more > 0 && length < room; length += more) {
    more = readSync(handle, buffer, length, room - length, null);
  }
  const content = buffer.slice(0, length);
  buffer.fill(0, 0, length);
  return content;
}

function warnIfOpen(name: string, variable: string | undefined, stats: Stats): void {
  if (!POSIX || (stats.mode & OTHERS) === 0 || warned.has(name)) return;
  warned.add(name);
  process.emitWarning(
    `${prefix(variable)}everybody on this machine has rights to ${quoted(name)}: ` +
      "chmod 600 it, or set defaultMode: 0400 where Kubernetes mounts it",
    "KeyFileWarning",
  );
}
