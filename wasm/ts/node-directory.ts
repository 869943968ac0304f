// A directory with one key text per file, as Kubernetes mounts a secret.
import { Buffer } from "node:buffer";
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { KeyringError } from "./errors.js";

/** Far more than a key text. */
const MAX_FILE_BYTES = 64 * 1024;

/** Names and contents of the regular files, links followed; hidden ones and folders are skipped. */
export function readDirectory(path: string): [name: string, content: Uint8Array][] {
  const names = readable(path, () => readdirSync(path)).filter((name) => !name.startsWith("."));
  return names.sort().flatMap((name) => {
    const file = join(path, name);
    const content = readable(file, () => (statSync(file).isFile() ? read(file) : undefined));
    return content === undefined ? [] : [[name, content]];
  });
}

function read(file: string): Uint8Array {
  const content = Buffer.alloc(MAX_FILE_BYTES + 1);
  const descriptor = openSync(file, "r");
  try {
    let length = 0;
    for (let more = 1; more > 0 && length < content.length; length += more) {
      more = readSync(descriptor, content, length, content.length - length, null);
    }
    if (length > MAX_FILE_BYTES) throw unreadable(file, "is larger than 64 KiB, a key text is not");
    return content.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

function readable<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof KeyringError) throw error;
    const reason = (error as { code?: unknown }).code;
    throw unreadable(path, `cannot be read (${String(reason)}): do the path and the rights fit?`);
  }
}

function unreadable(path: string, why: string): KeyringError {
  return new KeyringError("source-unreadable", `RESEAL_KEY_DIR: ${path} ${why}`);
}
