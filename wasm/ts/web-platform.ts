// What the entries have in common that know no files and no environment.
import { usePlatform, type PathLike, type WasmModule } from "./engine.js";
import { invalidArgument, KeyringError, ResealError } from "./errors.js";
import { checkedPath } from "./parts.js";
import { webText } from "./web-text.js";

let loader: (() => WasmModule) | undefined;

/**
 * Called once, by the entry, with what gives the module at once if there is such a thing. Two of
 * these entries in one program share the module.
 */
export function useWeb(load?: () => WasmModule): void {
  loader ??= load;
  usePlatform({
    text: webText(),
    load: loader ?? notInitialized,
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
}

function notInitialized(): never {
  throw new ResealError(
    "not-initialized",
    "reseal is not initialized: call `await init()` once before anything else",
  );
}

function noFiles(path: PathLike, variable?: string): never {
  const prefix = variable === undefined ? "" : `${variable}: `;
  throw new KeyringError(
    "source-unreadable",
    `${prefix}${String(path)} cannot be read, there are no files here`,
  );
}
