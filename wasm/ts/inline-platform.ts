// The module as text in the JavaScript, for pages and bundles that no second file can be served to.
import base64 from "../pkg/reseal.wasm?base64";
import { checkEngine, isReady, started, startError } from "./engine.js";
import { initSync } from "../pkg/reseal_wasm.js";

let starting: Promise<void> | undefined;

/**
 * Starts the module in the background. Without it the module is started at first use, which takes
 * a moment, and which older browsers refuse outside of workers.
 *
 * @throws `engine-unsupported`, `not-initialized` when the page does not allow WebAssembly
 * @example
 * await init();
 */
export function init(source?: unknown): Promise<void> {
  void source;
  starting ??= start().catch((error: unknown) => {
    starting = undefined;
    throw startError(error);
  });
  return starting;
}

/** The bytes of the module. */
export function moduleBytes(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}

async function start(): Promise<void> {
  checkEngine();
  if (isReady()) return;
  const module = await WebAssembly.compile(moduleBytes());
  if (!isReady()) started(initSync({ module }), module);
}
