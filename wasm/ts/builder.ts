// How a ring is put together from options.
import { RingBuilder, type WasmRing } from "../pkg/reseal_wasm.js";
import { ready } from "./engine.js";
import { invalidArgument, placed } from "./errors.js";
import { handleOf, Key, writeKeyText } from "./key.js";
import { made, succeeded } from "./memory.js";
import { checkOptions, listOf } from "./words.js";

/** The keys of a ring: `Key` objects, or key texts as a variable or a file holds them. */
export interface KeyringOptions {
  /** The data key that seals. */
  readonly primary?: Key | string | undefined;
  /** Keys that open, but seal no longer; data and index keys alike. */
  readonly decryptOnly?: readonly (Key | string)[] | undefined;
  /** The index key whose terms are stored. */
  readonly index?: Key | string | undefined;
  /** Keys that open, and become primary once every process has them. */
  readonly introduced?: readonly (Key | string)[] | undefined;
  /** Keys that open nothing for the time being. */
  readonly disabled?: readonly (Key | string)[] | undefined;
  /** The ids of keys that are gone for good. */
  readonly destroyed?: readonly string[] | undefined;
}

/** The options that take keys, and the number that the module has for the role. */
const ROLES = { primary: 0, index: 1, decryptOnly: 2, introduced: 3, disabled: 4 } as const;
const NAMES = ["primary", "decryptOnly", "index", "introduced", "disabled", "destroyed"] as const;
/** The rules say the rest; a text of this length is no key id. */
const MAX_ID_CHARS = 64;

/** The ring that the options describe. */
export function buildRing(options: KeyringOptions): WasmRing {
  ready();
  checkOptions(options, NAMES);
  const keys = { ...options };
  const builder = new RingBuilder();
  try {
    for (const name of NAMES) if (keys[name] !== undefined) addAll(builder, name, keys[name]);
  } catch (error) {
    builder.free();
    throw error;
  }
  return made(builder.build());
}

function addAll(builder: RingBuilder, name: (typeof NAMES)[number], given: unknown): void {
  const isOne = name === "primary" || name === "index";
  for (const item of isOne ? [given] : listOf(given, name)) {
    placed(name, () => {
      if (name === "destroyed") addDestroyed(builder, item);
      else addKey(builder, item, ROLES[name]);
    });
  }
}

function addKey(builder: RingBuilder, key: unknown, role: 0 | 1 | 2 | 3 | 4): void {
  if (key instanceof Key) succeeded(builder.addKey(handleOf(key), role));
  else succeeded(builder.addText(writeKeyText(key), role));
}

function addDestroyed(builder: RingBuilder, id: unknown): void {
  if (typeof id !== "string") throw invalidArgument("a destroyed key is given by its id");
  succeeded(builder.addDestroyed(writeKeyText(id.slice(0, MAX_ID_CHARS))));
}
