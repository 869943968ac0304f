// What a command and a call of a library ask for alike: variables, files, clocks. The methods are
// those of the trait `Host` of the crate `cli`.
import { Buffer } from "node:buffer";
import { closeSync, lstatSync, openSync, renameSync, statSync, writeFileSync } from "node:fs";
import { ResealError } from "./errors.js";
import type { Bytes } from "./memory.js";
import { POSIX, quoted, remove, splitPath, systemCode, unreadable, writeNew } from "./node-disk.js";
import { readDirectory } from "./node-directory.js";
import { createPrivateFile, read, readKeyset, readSecret } from "./node-files.js";
import { temporaryName } from "./node-lock.js";
import { saveKeyset } from "./node-save.js";

/** A stream, or a file of results, failed; the sentence says which and how. */
export class StreamError extends Error {
  constructor(readonly stream: string) {
    super(stream);
  }
}

const OWNER_ONLY = 0o600;
const BEGINNING_BYTES = 64;

export class FileHost {
  /** What ended the session, if it did not end by itself. */
  stopped: unknown;

  variable(name: string): string | undefined {
    return process.env[name];
  }

  variableNames(): string[] {
    return Object.keys(process.env).filter((name) => name.startsWith("RESEAL"));
  }

  readSecret(path: string, namedBy: string | undefined): Bytes {
    return this.attempt(() => readSecret(path, namedBy, undefined, { pipes: true }));
  }

  readKeyDirectory(path: string, namedBy: string): [name: string, content: Uint8Array][] {
    return this.attempt(() => readDirectory(path, namedBy));
  }

  /** Kind (0 file, 1 directory, 2 other), link, mode (-1 for none) and time. */
  fileFacts(path: string): Float64Array | undefined {
    return this.attempt(() => {
      try {
        const stats = statSync(path);
        const kind = stats.isFile() ? 0 : stats.isDirectory() ? 1 : 2;
        const isLink = Number(lstatSync(path).isSymbolicLink());
        const mode = POSIX ? stats.mode & 0o777 : -1;
        return Float64Array.of(kind, isLink, mode, Math.max(0, Math.trunc(stats.mtimeMs / 1000)));
      } catch (error) {
        if (systemCode(error) === "ENOENT") return undefined;
        throw unreadable(path, undefined, error);
      }
    });
  }

  readKeyset(path: string, namedBy: string | undefined): Bytes {
    return this.attempt(() => readKeyset(path, namedBy));
  }

  /** The first bytes of a file that is no secret. */
  readBeginning(path: string): Bytes {
    return this.attempt(() => {
      try {
        return read(path, BEGINNING_BYTES).subarray(0, BEGINNING_BYTES);
      } catch (error) {
        throw unreadable(path, undefined, error);
      }
    });
  }

  saveKeyset(path: string, loaded: Uint8Array | undefined, document: string): void {
    this.attempt(() => saveKeyset(path, loaded, Buffer.from(document)));
  }

  createPrivateFile(path: string, content: Uint8Array): void {
    this.attempt(() => createPrivateFile(path, content));
  }

  /** Replaces a file that is no secret, all or nothing. */
  saveFile(path: string, content: Uint8Array): void {
    this.#write(path, () => {
      const [folder, base] = splitPath(path);
      const temporary = folder + temporaryName(base);
      writeNew(temporary, content, OWNER_ONLY);
      try {
        renameSync(temporary, path);
      } catch (error) {
        remove(temporary);
        throw error;
      }
    });
  }

  /** Appends to a file that is no secret; `isNew` begins it anew. */
  appendFile(path: string, content: Uint8Array, isNew: boolean): void {
    this.#write(path, () => {
      const handle = openSync(path, isNew ? "w" : "a", OWNER_ONLY);
      try {
        writeFileSync(handle, content);
      } finally {
        closeSync(handle);
      }
    });
  }

  milliseconds(): number {
    return performance.now();
  }

  now(): number {
    return Math.trunc(Date.now() / 1000);
  }

  /** Errors of the package and of streams are reported; all else ends the session. */
  protected attempt<T>(step: () => T): T {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof ResealError || error instanceof StreamError)) this.stopped = error;
      throw error;
    }
  }

  /** What a file that cannot be written ends with. */
  protected unwritten(path: string, error: unknown): unknown {
    const code = systemCode(error);
    return code === undefined
      ? error
      : new StreamError(`${quoted(path)} cannot be written (${code})`);
  }

  #write(path: string, step: () => void): void {
    this.attempt(() => {
      try {
        step();
      } catch (error) {
        throw this.unwritten(path, error);
      }
    });
  }
}
