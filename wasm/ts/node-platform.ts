// Node, and what has its files: synchronous, nothing to initialize. The module is loaded at first use.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { usePlatform } from "./engine.js";
import { readDirectory } from "./node-directory.js";
import { currentFolder, pathText } from "./node-disk.js";
import { readKeyset, readSecret } from "./node-files.js";
import { saveKeyset } from "./node-save.js";
import { nodeText } from "./node-text.js";

/**
 * Does nothing: Node needs no initialization. It is here so that one program runs in Node and in
 * browsers, where `init` loads the WebAssembly module.
 *
 * @example
 * await init();
 */
export function init(source?: unknown): Promise<void> {
  void source;
  return Promise.resolve();
}

usePlatform({
  text: nodeText(),
  // ES modules have `import.meta.url`, in the form that bundlers know; CommonJS files are built without,
  // and have `__dirname`, which `node -e` shows to ES modules too, as the folder that it was started in.
  load: () =>
    readFileSync(
      typeof import.meta.url === "string"
        ? new URL("./reseal.wasm", import.meta.url)
        : join(__dirname, "reseal.wasm"),
    ),
  environment: () => process.env,
  currentFolder,
  pathText,
  readDirectory,
  readSecret,
  readKeyset,
  saveKeyset,
});
