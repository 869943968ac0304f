// What the tests of live rings share: a clock that stands still, and a keyset in a file.
import { join } from "node:path";
import { Key, Keyset, KeysetFile } from "reseal";

export const LEASE = 60;
export const kek = Key.generate("kek");

/** A clock that stands still until it is told otherwise. */
export class Clock {
  now = 1000;
  readonly read = (): number => this.now;
}

/** A keyset with one primary key of each use. */
export function newFile(folder: string): KeysetFile {
  const file = new KeysetFile(join(folder, "keyset.json"), { kek });
  const keyset = Keyset.create({ kek });
  keyset.rotate("data", { label: "first" });
  keyset.rotate("index", { label: "index" });
  keyset.setLeaseSeconds(LEASE);
  file.create(keyset);
  return file;
}

/** Gives the file a new primary key, and its id. */
export function rotate(file: KeysetFile): string {
  return file.edit((keyset) => keyset.rotate("data", { early: true }));
}
