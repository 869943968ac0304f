// For entries that have their module from the beginning.

/**
 * Does nothing: the module is there, and is started at first use. It is here so that one program
 * runs in every runtime; in browsers `init` loads the module.
 *
 * @example
 * await init();
 */
export function init(source?: unknown): Promise<void> {
  void source;
  return Promise.resolve();
}
