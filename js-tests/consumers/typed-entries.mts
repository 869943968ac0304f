// Every entry that needs no library of browsers: the same types, and less of them in the slim ones.
import { codecs, init, Key, Keyring, type KeyringOptions } from "reseal/slim";
import * as inline from "reseal/inline";
import * as slimInline from "reseal/slim/inline";
import type { JobReport } from "reseal/jobs";
import type { SqlKeysetStore } from "reseal/sql";

await init();
await inline.init();
await slimInline.init();
const options: KeyringOptions = { primary: Key.generate() };
const stored: string = new Keyring(options).seal("x", { row: 1 });
const plain: codecs.Codec = codecs.plain();
const metabase: inline.codecs.Codec = inline.codecs.metabase({
  keys: ["a secret of 16 characters or more"],
});
const manifest: typeof inline.Manifest = inline.Manifest;

// @ts-expect-error a format of another system
const foreign = (): unknown => codecs.metabase({ keys: [] });
// @ts-expect-error no manifest
const none = (): unknown => slimInline.Manifest;

export { foreign, manifest, metabase, none, plain, stored };
export type { JobReport, SqlKeysetStore };
