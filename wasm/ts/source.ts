// Key sources: reads what the core asks for, and leaves the judgement to it.
import { envNames, WasmSource, type WasmRing } from "../pkg/reseal_wasm.js";
import { platform, ready } from "./engine.js";
import { invalidArgument, KeyringError } from "./errors.js";
import { input, made, wipeInput, writeBytes, writeLength, writeText } from "./memory.js";
import { byteLength } from "./value.js";

/** Environment variables, such as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** More than a list of a thousand keys. */
const MAX_VARIABLE_CHARS = 1024 * 1024;

/** The ring that the environment describes. */
export function ringFrom(env: unknown): WasmRing {
  ready();
  const source = made(WasmSource.read(writeAll(readVariables(env))));
  const directory = source.directory();
  const files = directory === undefined ? [] : platform().readDirectory(directory);
  const used = writeAll(files);
  for (const [, content] of files) content.fill(0);
  return made(source.ring(used));
}

/** The variables that count, read once. */
function readVariables(env: unknown): [string, string][] {
  if (typeof env !== "object" || env === null) {
    throw invalidArgument("the environment is an object of strings, such as process.env");
  }
  return envNames().flatMap((name) => {
    const value: unknown = (env as Record<string, unknown>)[name];
    return value === undefined ? [] : [[name, checked(name, value)]];
  });
}

function checked(name: string, value: unknown): string {
  if (typeof value !== "string") throw invalidArgument(`the variable ${name} is no string`);
  if (value.length > MAX_VARIABLE_CHARS) {
    throw new KeyringError("invalid-key", `${name} is far longer than any list of keys`);
  }
  return value;
}

/** Writes names and contents, and gives the bytes written in all. */
function writeAll(pairs: readonly (readonly [string, string | Uint8Array])[]): number {
  let used = 0;
  try {
    for (const [name, content] of pairs) used = write(content, write(name, used));
  } catch (error) {
    wipeInput(used);
    throw error;
  }
  return used;
}

function write(part: string | Uint8Array, used: number): number {
  const start = used + 4;
  const room = typeof part === "string" ? part.length * 3 : byteLength(part);
  const at = input(used, start + room) + start;
  const end = start + (typeof part === "string" ? writeText(part, at, room) : room);
  if (typeof part !== "string") writeBytes(part, at);
  writeLength(used, end);
  return end;
}
