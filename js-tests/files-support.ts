// What the tests of the file side need. It is tested from its source: the package exports a part of it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { ResealError, type ErrorCode } from "../wasm/ts/errors.js";

/** A new folder for each test, and files in it that are for their owner only. */
export function useFolder(prepare: (folder: string) => void): void {
  let folder: string;
  let umask: number;
  beforeAll(() => void (umask = process.umask(0o077)));
  beforeEach(() => prepare((folder = mkdtempSync(join(tmpdir(), "reseal-files-")))));
  afterEach(() => rmSync(folder, { recursive: true }));
  afterAll(() => void process.umask(umask));
}

/** Expects that a call throws an error with this code. */
export function refuses(code: ErrorCode, call: () => unknown): ResealError {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(ResealError);
    expect((error as ResealError).code, (error as ResealError).message).toBe(code);
    expect((error as ResealError).cause).toBeUndefined();
    return error as ResealError;
  }
  throw new Error(`expected ${code}`);
}

export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}
