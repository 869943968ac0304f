// What a test of live rings begins with: a ring, the keyset that it follows, and a clock.
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LiveKeyring, type KeysetFile, type LiveKeysetOptions } from "reseal";
import { useFolder } from "./files-support.js";
import { Clock, kek, newFile } from "./live-support.js";

export let folder: string;
export let clock: Clock;
export let file: KeysetFile;
export let live: LiveKeyring;

/** A ring that follows a keyset in a file, by a clock that stands still: each test has its own. */
export function useLive(): void {
  useFolder((made) => {
    folder = made;
    clock = new Clock();
    file = newFile(folder);
    live = follow();
  });
}

export const follow = (options: Partial<LiveKeysetOptions> = {}): LiveKeyring =>
  LiveKeyring.fromKeyset(file.path, { kek, clock: clock.read, ...options });
export const put = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
export const away = () => renameSync(file.path, join(folder, "elsewhere"));
export const back = () => renameSync(join(folder, "elsewhere"), file.path);
export const generation = () => live.status().generation;
