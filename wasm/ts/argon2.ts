// Argon2id in a second instance of the module, which is dropped afterwards: a module never gives
// its memory back, and this takes 64 MiB or more.
import { wasmModule } from "./engine.js";
import { errorOf, KeyringError, ResealError } from "./errors.js";

/** What is used of the second instance: functions of numbers, which need no glue. */
interface Instance {
  readonly memory: WebAssembly.Memory;
  grow(used: number, bytes: number): void;
  places(): number;
  argon2id(memoryKib: number, passes: number, lanes: number, salt: number, used: number): number;
  release(): void;
  wipe_stack(): void;
}

/** Runs a call that may have to derive a key from a passphrase. */
export function deriving<T>(call: (derivation: Derivation) => T): T {
  const derivation = new Derivation();
  try {
    return call(derivation);
  } catch (error) {
    throw derivation.failure ?? error;
  }
}

/** What the module calls. It throws nothing, since the module could not go on after that. */
class Derivation {
  failure: ResealError | undefined;

  /** Writes a key text to `key`, and gives its length. All arrays are memory of the module. */
  derive(
    memoryKib: number,
    passes: number,
    lanes: number,
    salt: Uint8Array,
    passphrase: Uint8Array,
    key: Uint8Array,
  ): number {
    try {
      const instance = newInstance();
      write(instance, [salt, passphrase]);
      const used = salt.length + passphrase.length;
      const status = instance.argon2id(memoryKib, passes, lanes, salt.length, used);
      const output = outputOf(instance);
      if (status !== 0) throw errorOf(new TextDecoder().decode(output));
      key.set(output);
      instance.release();
      instance.wipe_stack();
      return output.length;
    } catch (error) {
      this.failure = error instanceof ResealError ? error : noMemory(memoryKib);
      return 0;
    }
  }
}

function newInstance(): Instance {
  const module = wasmModule();
  const imports: Record<string, Record<string, () => never>> = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    (imports[from] ??= {})[name] = () => {
      throw new Error("not here");
    };
  }
  return new WebAssembly.Instance(module, imports).exports as unknown as Instance;
}

function write(instance: Instance, parts: readonly Uint8Array[]): void {
  instance.grow(
    0,
    parts.reduce((sum, part) => sum + part.length, 0),
  );
  let at = placesOf(instance)[2]!;
  for (const part of parts) {
    new Uint8Array(instance.memory.buffer).set(part, at);
    at += part.length;
  }
}

function outputOf(instance: Instance): Uint8Array {
  const [at, length] = placesOf(instance);
  return new Uint8Array(instance.memory.buffer, at, length);
}

/** Output address and length, input address and length. */
function placesOf({ memory, places }: Instance): Uint32Array {
  return new Uint32Array(memory.buffer, places(), 4);
}

function noMemory(memoryKib: number): KeyringError {
  return new KeyringError(
    "source-unreadable",
    `the passphrase of this keyset takes ${memoryKib >> 10} MiB of memory, which is not to be had`,
  );
}
