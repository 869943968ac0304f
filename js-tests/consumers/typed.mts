// What TypeScript must accept, and must refuse, of an ES module.
import {
  DecryptError,
  ERROR_CODES,
  Field,
  inspect,
  Key,
  Keyring,
  ResealError,
  toBinary,
  version,
  type Context,
  type ErrorCode,
  type Inspection,
  type KeyInfo,
  type KeyringOptions,
  type Mode,
  type Outcome,
} from "reseal";

declare const console: { log(text: string): void };

const options: KeyringOptions = {
  primary: Key.generate("data"),
  decryptOnly: [],
  index: undefined,
};
const ring = new Keyring(options);
const context: Context = { table: "users", row: 42, big: 7n, bytes: new Uint8Array(1) };
const mode: Mode = "padded";
const stored: string = ring.seal("x", context, mode);
const bytes: Uint8Array = ring.open(stored, context);
const shown: Inspection = inspect(toBinary(stored));
const many: Outcome<string>[] = ring.sealMany(["a"], [context]);
for (const outcome of many) {
  if (outcome instanceof ResealError) throw outcome;
  outcome.toUpperCase();
}
const keys: readonly KeyInfo[] = ring.keys();
const field: Field = ring.field({ table: "users" });
field.openMany(field.sealMany(["a"], { rows: [1] }) as string[], { rows: [1] });
const code: ErrorCode = ERROR_CODES[0];

{
  using scoped = new Keyring(options);
  scoped.seal(bytes, {});
}

// @ts-expect-error null is never sealed
const refused = (): unknown => ring.seal(null, context);
// @ts-expect-error a float may be given by mistake, a boolean cannot be
const flag = (): unknown => ring.seal("x", { a: true });
// @ts-expect-error the word is "random"
const word = (): unknown => ring.seal("x", {}, "r");
// @ts-expect-error an option of Python
const unknown = (): unknown => new Keyring({ decrypt_only: [] });
// @ts-expect-error fields are made by rings
const constructed = (): unknown => new Field();

void [refused, flag, word, unknown, constructed, shown, keys, code, version, DecryptError];
console.log("all good");
