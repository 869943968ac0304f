// What TypeScript must accept, and must refuse, of an ES module.
import {
  DecryptError,
  ERROR_CODES,
  Field,
  inspect,
  Key,
  Keyring,
  Keyset,
  KeysetFile,
  MemoryKekProvider,
  ResealError,
  toBinary,
  version,
  type Context,
  type ErrorCode,
  type Inspection,
  type KekProvider,
  type KeyInfo,
  type KeyringOptions,
  type KeysetFileOptions,
  type KeysetKey,
  type Mode,
  type Outcome,
} from "reseal";
import {
  apply,
  discover,
  JobError,
  type ApplyOptions,
  type JobDatabase,
  type JobReport,
} from "reseal/jobs";

declare const console: { log(text: string): void };
declare const AbortController: new () => {
  signal: {
    readonly aborted: boolean;
    addEventListener(type: "abort", listener: () => void): void;
    removeEventListener(type: "abort", listener: () => void): void;
  };
};

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
// NULL has a result of its own in a batch: its error.
declare const column: readonly (string | null)[];
if (stored === "")
  ring.openManyString(
    column,
    ring.sealMany(column, {}).map(() => context),
  );
const keys: readonly KeyInfo[] = ring.keys();
const field: Field = ring.field({ table: "users" });
field.openMany(field.sealMany(["a"], { rows: [1] }) as string[], { rows: [1] });
const code: ErrorCode = ERROR_CODES[0];

const kek = Key.generate("kek");
const keyset = Keyset.create({ kek, leaseSeconds: 60, now: new Date() });
const listed: readonly KeysetKey[] = keyset.keys();
const provider: KekProvider = new MemoryKekProvider(ring);
const loaded: Promise<Keyset> = Keyset.loadAsync(keyset.save(), { providers: [provider], kek });
const opener: KeysetFileOptions = { kek: [kek, kek.export()], ring: keyset.ringId };
const edit = (file: KeysetFile): string => file.edit((held) => held.rotate("data", { now: 0 }));

{
  using held = Keyset.create({ kek });
  held.promote(held.introduce(Key.generate()), { early: true });
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

// @ts-expect-error a key-encrypting key is in no ring
const kekInRing = (): unknown => keyset.introduce("kek");
// @ts-expect-error keysets are made by create and load
const newKeyset = (): unknown => new Keyset();

const how: ApplyOptions = {
  batch: 100,
  repair: "unwrap",
  rows: [1, 2n, "a", ["a", new Uint8Array(1)]],
  stop: new AbortController().signal,
  onEvent: (event) => (event.event === "refused" ? event.row_id : event),
};
const pool: JobDatabase = { query: (text: string, values: string[]) => [text, values] };
const job = async (): Promise<JobReport> => apply(pool, how);
const looked = async (): Promise<number> =>
  (await discover("sqlite:///app.db")).discovered[0]?.key_like ?? 0;
const failed = (error: unknown): string =>
  error instanceof JobError ? error.report.end : "nothing was begun";

// @ts-expect-error a word of Python
const snaked = (): unknown => apply(pool, { dry_run: true });
// @ts-expect-error no database
const nowhere = (): unknown => apply(7);
// @ts-expect-error an option of apply alone
const looking = (): unknown => discover(pool, { rows: [1] });

void [job, looked, failed, snaked, nowhere, looking];
void [listed, loaded, opener, edit, kekInRing, newKeyset];
void [refused, flag, word, unknown, constructed, shown, keys, code, version, DecryptError];
console.log("all good");
