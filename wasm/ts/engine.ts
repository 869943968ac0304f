// The engine: which platform this is, and whether its WebAssembly module runs.
import { initSync, limits as readLimits, places, type InitOutput } from "../pkg/reseal_wasm.js";
import { ResealError } from "./errors.js";
import { attach, type TextAccess } from "./memory.js";

/** What an entry of the package knows about where it runs. */
export interface Platform {
  readonly text: TextAccess;
  /** The module, where it can be had at once. */
  load(): WasmModule;
  /** The environment variables. */
  environment(): Record<string, string | undefined>;
  /** A path as text; `name` is the argument's, for messages. */
  pathText(path: PathLike, name: string): string;
  /** The folder that relative paths count from; undefined where there is none. */
  currentFolder(): string | undefined;
  /**
   * Names and contents of the files of a directory; `variable` named it, if one did. A relative
   * path counts from `folder`, here and below.
   */
  readDirectory(
    path: string,
    variable?: string,
    folder?: string,
  ): [name: string, content: Uint8Array][];
  /** The content of a file with a secret. */
  readSecret(path: PathLike, variable?: string, folder?: string): Uint8Array;
  /** The content of a keyset file. */
  readKeyset(path: PathLike, variable?: string, folder?: string): Uint8Array;
  /** Replaces the keyset file that was loaded, or makes one that does not exist. */
  saveKeyset(path: PathLike, loaded: Uint8Array | undefined, changed: Uint8Array): void;
}

/** The module as bytes, or compiled. */
export type WasmModule = BufferSource | WebAssembly.Module;

/** Where a file is: text, or a `file:` URL. */
export type PathLike = string | FileUrl;

/** A `URL`, of whichever library declares it. */
export interface FileUrl {
  readonly protocol: string;
  readonly href: string;
}

/** The limits of the format, as the core knows them. */
export interface Limits {
  readonly plaintextBytes: number;
  readonly overheadBytes: number;
  readonly textChars: number;
  readonly textPrefixChars: number;
  readonly contextPairs: number;
  readonly contextNameChars: number;
  readonly contextValueBytes: number;
}

/** The smallest module that uses SIMD. */
const SIMD_PROBE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0],
  ...[10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11],
);

let chosen: Platform | undefined;
let known: Limits | undefined;
let compiled: WebAssembly.Module | undefined;

/** Called once, by the entry. */
export function usePlatform(platform: Platform): void {
  chosen = platform;
}

export function platform(): Platform {
  if (chosen === undefined)
    throw new ResealError("not-initialized", "no entry of reseal is loaded");
  return chosen;
}

/** The limits, once the module runs; where that is possible it is started now. */
export function ready(): Limits {
  return known ?? start();
}

/** The module that runs, for one more instance of it. */
export function wasmModule(): WebAssembly.Module {
  ready();
  return compiled!;
}

export function isReady(): boolean {
  return known !== undefined;
}

/** Starts the module, and says what is missing where that fails. */
function start(): Limits {
  checkEngine();
  try {
    const module = moduleOf(platform().load());
    return started(initSync({ module }), module);
  } catch (error) {
    throw startError(error);
  }
}

function moduleOf(source: WasmModule): WebAssembly.Module {
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) {
    return new WebAssembly.Module(source as BufferSource);
  }
  if (source instanceof WebAssembly.Module) return source;
  // A module of another realm, as edge functions get it: the glue takes it for what it is not.
  return Object.setPrototypeOf(source, WebAssembly.Module.prototype) as WebAssembly.Module;
}

/** Takes the running module into use. */
export function started(exports: InitOutput, module: WebAssembly.Module): Limits {
  attach(exports.memory, places(), platform().text);
  compiled = module;
  return (known = readLimits() as Limits);
}

/** Refuses an engine without WebAssembly or its SIMD. */
export function checkEngine(): void {
  const missing = typeof WebAssembly !== "object" ? "WebAssembly" : simdMissing();
  if (missing === undefined) return;
  throw new ResealError(
    "engine-unsupported",
    `this JavaScript engine has no ${missing}: use Node 20 or newer, or a browser of 2023 or newer; a lockdown mode or a flag may have switched it off`,
  );
}

export function startError(error: unknown): ResealError {
  if (error instanceof ResealError) return error;
  const reason = error instanceof Error ? error.message : "unknown reason";
  return new ResealError("not-initialized", `reseal.wasm could not be loaded: ${reason}`);
}

function simdMissing(): string | undefined {
  return WebAssembly.validate(SIMD_PROBE) ? undefined : "WebAssembly SIMD";
}
