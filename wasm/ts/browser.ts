// The entry for browsers: call `init` once, then everything is synchronous.
import initGlue from "../pkg/reseal_wasm.js";
import { instanceError, moduleOf, type WasmSource } from "./browser-module.js";
import { checkEngine, isReady, started, startError, usePlatform, type PathLike } from "./engine.js"; // prettier-ignore
import { invalidArgument, KeyringError, ResealError } from "./errors.js";
import { checkedPath } from "./parts.js";
import { webText } from "./web-text.js";

export * from "./index.js";
export type { WasmSource };

let starting: Promise<void> | undefined;

/**
 * Loads the WebAssembly module, by default `reseal.wasm` beside this file. Further calls wait for
 * the first; after a failure `init` may be called again.
 *
 * @throws `engine-unsupported`, `not-initialized` when the module cannot be loaded,
 * `invalid-argument`
 * @example
 * await init();
 */
export function init(source?: WasmSource | PromiseLike<WasmSource>): Promise<void> {
  starting ??= start(source).catch((error: unknown) => {
    starting = undefined;
    throw startError(error);
  });
  return starting;
}

usePlatform({
  text: webText(),
  load: () => {
    throw new ResealError(
      "not-initialized",
      "reseal is not initialized: call `await init()` once before anything else",
    );
  },
  environment: () => {
    throw invalidArgument("there is no environment here: give fromEnv an object of variables");
  },
  pathText: (path, name) => checkedPath(String(path), name),
  currentFolder: () => undefined,
  readDirectory: noFiles,
  readSecret: noFiles,
  readKeyset: noFiles,
  saveKeyset: (path) => noFiles(path),
});

function noFiles(path: PathLike, variable?: string): never {
  const prefix = variable === undefined ? "" : `${variable}: `;
  throw new KeyringError(
    "source-unreadable",
    `${prefix}${String(path)} cannot be read, there are no files here`,
  );
}

async function start(source: WasmSource | PromiseLike<WasmSource> | undefined): Promise<void> {
  checkEngine();
  const given = await (source ?? new URL("./reseal.wasm", import.meta.url));
  const module = await moduleOf(given);
  if (isReady()) return;
  try {
    started(await initGlue({ module_or_path: module }), module);
  } catch (error) {
    throw instanceError(error);
  }
}
