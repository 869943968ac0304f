// Blind indexes: terms of equality for columns that are sealed in mode random.
import { WasmIndex } from "../pkg/reseal_wasm.js";
import { invalidArgument } from "./errors.js";
import { input, made, writeText } from "./memory.js";
import { checkOptions, type Normalizer } from "./words.js";

/** A blind index: its name, what counts as equal, and how many bits of the hash it keeps. */
export interface IndexOptions {
  /** A name of your choice, under the rule of context names: `email_eq`. */
  readonly index: string;
  /** What counts as equal; `raw` by default. */
  readonly normalizer?: Normalizer;
  /** 8 to 256, 64 by default. Fewer bits make more false hits and show less. */
  readonly bits?: number;
}

/** Indexes that were used before; an application has a handful. */
const known = new Map<string, WasmIndex>();
const MAX_KNOWN = 64;
const MAX_WORD_CHARS = 64;

/** The checked index inside the module. */
export function indexOf(options: IndexOptions): WasmIndex {
  checkOptions(options, ["index", "normalizer", "bits"]);
  const { index, normalizer = "raw", bits = 64 } = options;
  if (!Number.isInteger(bits) || bits < 0 || bits > 0xffff) {
    throw invalidArgument("bits is a whole number from 8 to 256");
  }
  // No name and no normalizer has a space.
  const name = `${bits} ${wordOf(normalizer)} ${wordOf(index)}`;
  return known.get(name) ?? remember(name, make(wordOf(index), wordOf(normalizer), bits));
}

function make(index: string, normalizer: string, bits: number): WasmIndex {
  const name = writeWord(index, 0);
  return made(WasmIndex.make(name, writeWord(normalizer, name), bits));
}

/** Anything else than a short word is neither name nor normalizer: the core says so. */
function wordOf(word: unknown): string {
  return typeof word === "string" ? word.slice(0, MAX_WORD_CHARS) : "";
}

function writeWord(word: string, used: number): number {
  const room = word.length * 3;
  return used + writeText(word, input(used, used + room) + used, room);
}

function remember(name: string, index: WasmIndex): WasmIndex {
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(name, index);
  return index;
}
