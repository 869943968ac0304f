// Browsers: `init` is called once, then everything is synchronous.
import initGlue from "../pkg/reseal_wasm.js";
import { awaited, instanceError, moduleOf, type WasmSource } from "./browser-module.js";
import { checkEngine, isReady, started, startError } from "./engine.js";

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

async function start(source: WasmSource | PromiseLike<WasmSource> | undefined): Promise<void> {
  checkEngine();
  const module = await moduleOf(await awaited(source ?? new URL("./reseal.wasm", import.meta.url)));
  if (isReady()) return;
  try {
    started(await initGlue({ module_or_path: module }), module);
  } catch (error) {
    throw instanceError(error);
  }
}
