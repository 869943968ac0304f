// What several tests need.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import {
  DecryptError,
  FormatError,
  Key,
  Keyring,
  KeyringError,
  ResealError,
  type ErrorCode,
} from "reseal";

export const context = { table: "users", column: "email", row: 42 };

/** A ring with one data and one index key. */
export function newRing(): Keyring {
  return new Keyring({ primary: Key.generate(), index: Key.generate("index") });
}

/** The error that a call throws: of this package, or the test fails. */
export function errorOf(call: () => unknown): ResealError {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(ResealError);
    return error as ResealError;
  }
  throw new Error("expected an error");
}

/** Expects that a call throws an error with this code. */
export function refuses(code: ErrorCode, call: () => unknown): ResealError {
  const error = errorOf(call);
  expect(error.code, error.message).toBe(code);
  expect(error.constructor).toBe(classOf(code));
  expect(error.name).toBe(error.constructor.name);
  // A capital letter begins the name of a variable, of a class or of another system.
  expect(error.message).toMatch(/^[^A-Z]|^[A-Z]+_|^[A-Z]\w+\(|^(Rails|Metabase|Sentry|Freeboard) /);
  expect(error.cause).toBeUndefined();
  return error;
}

const CLASSES = { DecryptError, FormatError, KeyringError, ResealError };

/** Which class a code belongs to, as spec/errors.md says. */
export function classOf(code: ErrorCode): typeof ResealError {
  const name = SPEC_CLASSES.get(code);
  if (name === undefined) throw new Error(`spec/errors.md has no code ${code}`);
  return CLASSES[name];
}

const SPEC_CLASSES = readSpec();

/** The table of spec/errors.md: code and class. */
export function specCodes(): ReadonlyMap<string, keyof typeof CLASSES> {
  return SPEC_CLASSES;
}

function readSpec(): Map<string, keyof typeof CLASSES> {
  const text = read("../spec/errors.md");
  const rows = text.matchAll(/^\| `([a-z-]+)` \| (\w+) \|/gm);
  return new Map(Array.from(rows, ([, code, name]) => [code!, name as keyof typeof CLASSES]));
}

/** A file of the repository, relative to this one. */
export function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), "utf8");
}

/** Runs a program in a Node of its own, and gives what it prints. */
export function runNode(program: string, ...flags: string[]): string {
  const cwd = fileURLToPath(new URL(".", import.meta.url));
  const args = [...flags, "--input-type=module", "--eval", program];
  return execFileSync(process.execPath, args, { cwd, encoding: "utf8" }).trim();
}
