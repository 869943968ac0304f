// Replaces a keyset file as a whole: whatever happens, it is the old one or the new one.
// The same steps stand in python/reseal/_save.py.
import { Buffer } from "node:buffer";
import { lstatSync, readdirSync, renameSync, type Stats } from "node:fs";
import { KeyringError } from "./errors.js";
import {
  attempt,
  type PathLike,
  pathText,
  quoted,
  Refusal,
  remove,
  splitPath,
  syncDirectory,
  systemCode,
  unwritable,
  writeNew,
} from "./node-disk.js";
import { MAX_KEYSET_BYTES, read } from "./node-files.js";
import { type FileLock, isLeftover, temporaryName, withLock } from "./node-lock.js";

const LEFTOVER_MS = 60_000;

/**
 * Replaces the keyset that was loaded by a new one; with `undefined`, makes one that does not
 * exist. A new file is for its owner only; an old one keeps its rights and its owner.
 *
 * Errors: `keyset-conflict` if the file does not hold what was loaded, or another process does not
 * let go of it; `keyset-unwritable`. After an error the file is as it was.
 */
export function saveKeyset(
  path: PathLike,
  loaded: Uint8Array | undefined,
  changed: Uint8Array,
): void {
  const name = pathText(path);
  try {
    if (changed.length > MAX_KEYSET_BYTES) {
      throw new Refusal(`a keyset has at most ${MAX_KEYSET_BYTES} bytes (1 MiB)`);
    }
    compare(name, loaded);
    withLock(name, (lock) => {
      removeLeftovers(name, lock);
      replace(name, changed, compare(name, loaded), lock);
    });
  } catch (error) {
    throw unwritable(name, error);
  }
}

/** The facts of the file, if it holds what was loaded. */
function compare(name: string, loaded: Uint8Array | undefined): Stats | undefined {
  const stats = statsOf(name);
  if (stats === undefined) {
    if (loaded === undefined) return undefined;
    throw conflict(name, "was removed since it was loaded");
  }
  if (stats.isSymbolicLink()) {
    throw new Refusal("it is a symbolic link: give the path of the file itself");
  }
  if (!stats.isFile()) throw new Refusal("it is no regular file");
  if (loaded === undefined) {
    throw conflict(name, "exists already: load it, or give another name");
  }
  if (!Buffer.from(read(name, MAX_KEYSET_BYTES)).equals(loaded)) {
    throw conflict(name, "was changed since it was loaded: load it, and try again");
  }
  return stats;
}

function statsOf(name: string): Stats | undefined {
  try {
    return lstatSync(name);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function replace(name: string, changed: Uint8Array, old: Stats | undefined, lock: FileLock): void {
  const [folder, base] = splitPath(name);
  const temporary = folder + temporaryName(base);
  writeNew(temporary, changed, 0o600, { like: old });
  try {
    if (!lock.isHeld()) {
      throw conflict(name, "lost its lock file meanwhile: load it, and try again");
    }
    renameSync(temporary, name);
  } catch (error) {
    remove(temporary);
    throw error;
  }
  syncDirectory(name);
}

/** Removes what killed processes left: nothing of the living is that old while we hold the lock. */
function removeLeftovers(name: string, lock: FileLock): void {
  const [folder, base] = splitPath(name);
  attempt(() => {
    const oldest = lstatSync(lock.path).mtimeMs - LEFTOVER_MS;
    for (const entry of readdirSync(folder || ".").filter((entry) => isLeftover(base, entry))) {
      if (lstatSync(folder + entry).mtimeMs < oldest) remove(folder + entry);
    }
  });
}

function conflict(name: string, what: string): KeyringError {
  return new KeyringError("keyset-conflict", `${quoted(name)} ${what}`);
}
