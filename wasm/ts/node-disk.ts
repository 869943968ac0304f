// What reading and writing of files need: new files, their rights, and reasons in plain words.
// The same stands in python/reseal/_disk.py, with the same words.
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  unlinkSync,
  writeFileSync,
  type Stats,
} from "node:fs";
import { isAbsolute, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { invalidArgument, KeyringError } from "./errors.js";
import { checkedPath } from "./parts.js";

/** Where a file is: text, or a `file:` URL. */
export type PathLike = string | URL;

export const POSIX = process.platform !== "win32";
// A pipe would block at opening. Windows has no such flag.
export const READ_FLAGS = constants.O_RDONLY | flag("O_NONBLOCK");
export const NO_FOLLOW = flag("O_NOFOLLOW");
const CREATE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;

/** Other reasons are shown by their name alone. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "the rights are missing",
  EDQUOT: "the disk quota is used up",
  EFBIG: "a limit for the size of files is reached",
  EISDIR: "it is a directory",
  ELOOP: "its links go round in a circle",
  ENAMETOOLONG: "the name is too long",
  ENOENT: "there is no such file or directory",
  ENOSPC: "the disk is full",
  ENOTDIR: "it leads through something that is no directory",
  EPERM: "the system does not allow it",
  EROFS: "the file system is read-only",
};

/** Why this package does not read or write a file. */
export class Refusal extends Error {}

/** A path as text. */
export function pathText(path: PathLike, name = "a path"): string {
  if (typeof path === "string") return checkedPath(path, name);
  if (path instanceof URL && path.protocol === "file:") {
    return checkedPath(fileURLToPath(path), name);
  }
  throw invalidArgument("a path is text, or a URL that begins with file:");
}

/** The folder, with its last separator, and the name in it. Nothing is normalized: links count. */
export function splitPath(name: string): [folder: string, base: string] {
  const end = Math.max(name.lastIndexOf("/"), POSIX ? -1 : name.lastIndexOf("\\")) + 1;
  return [name.slice(0, end), name.slice(end)];
}

/** A path that counts from a folder, if it is relative and a folder is given. Links count. */
export function placed(name: string, folder: string | undefined): string {
  return folder === undefined || isAbsolute(name) ? name : folder + sep + name;
}

/** The folder that relative paths count from; undefined where it was removed. */
export function currentFolder(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

/** A path as it may stand in a log line. */
export function quoted(name: string): string {
  return JSON.stringify(name);
}

/** The code of a failed system call, such as `ENOENT`. */
export function systemCode(error: unknown): string | undefined {
  const code: unknown = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === "string" ? code : undefined;
}

export function unreadable(name: string, variable: string | undefined, error: unknown): Error {
  const what = `${prefix(variable)}cannot read ${quoted(name)}`;
  return failure("source-unreadable", what, error);
}

export function unwritable(name: string, error: unknown): Error {
  return failure("keyset-unwritable", `cannot write ${quoted(name)}`, error);
}

/** How a message begins about what a variable names. */
export function prefix(variable: string | undefined): string {
  return variable === undefined ? "" : `${variable}: `;
}

/** Writes a file that does not exist yet; with the rights and the owner of another. */
export function writeNew(
  name: string,
  content: Uint8Array,
  mode: number,
  { sync = true, like }: { sync?: boolean; like?: Stats | undefined } = {},
): void {
  const handle = openSync(name, CREATE_FLAGS, mode);
  try {
    try {
      writeFileSync(handle, content);
      if (like !== undefined && POSIX) give(handle, like);
      if (sync) fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    remove(name);
    throw error;
  }
}

/** Removes a file if that can be done. */
export function remove(name: string): void {
  attempt(() => unlinkSync(name));
}

/** Does what may fail, and says whether it did not. */
export function attempt(step: () => void): boolean {
  try {
    step();
    return true;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}

/** Waits, where there is nothing to await. */
export function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Writes a directory's entry for a file to disk, where the system can do that. */
export function syncDirectory(name: string): void {
  if (!POSIX) return;
  // Some directories may be written to and not read, and some file systems refuse.
  attempt(() => {
    const handle = openSync(splitPath(name)[0] || ".", constants.O_RDONLY);
    try {
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  });
}

/** Gives a file the owner and the rights of the one that it replaces: it has the same readers. */
function give(handle: number, like: Stats): void {
  const { uid, gid } = fstatSync(handle);
  if (uid !== like.uid || gid !== like.gid) {
    if (!attempt(() => fchownSync(handle, like.uid, like.gid))) giveToGroup(handle, uid, like);
  }
  // Some file systems keep no rights.
  attempt(() => fchmodSync(handle, like.mode & 0o777));
}

/** Lets another member of a team replace a file that their group reads. */
function giveToGroup(handle: number, uid: number, like: Stats): void {
  const readable = (like.mode & constants.S_IRGRP) !== 0;
  if (readable && attempt(() => fchownSync(handle, uid, like.gid))) return;
  throw new Refusal("it belongs to another user, who could then not read it: work as that user");
}

function failure(
  code: "source-unreadable" | "keyset-unwritable",
  what: string,
  error: unknown,
): Error {
  if (error instanceof Refusal) return new KeyringError(code, `${what}: ${error.message}`);
  const reason = systemCode(error);
  if (reason === undefined || error instanceof KeyringError) return error as Error;
  const words = REASONS[reason];
  return new KeyringError(
    code,
    `${what}: ${words === undefined ? reason : `${words} (${reason})`}`,
  );
}

function flag(name: "O_NONBLOCK" | "O_NOFOLLOW"): number {
  return (constants as Record<string, number | undefined>)[name] ?? 0;
}
