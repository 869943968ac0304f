// A directory with one key text per file, as Kubernetes mounts a secret.
import { readdirSync, statSync } from "node:fs";
import { placed, unreadable } from "./node-disk.js";
import { readSecret } from "./node-files.js";

/**
 * Names and contents of the files, links followed; hidden ones and folders are skipped. A relative
 * path counts from `base`.
 */
export function readDirectory(
  path: string,
  variable?: string,
  base?: string,
): [name: string, content: Uint8Array][] {
  const folder = path.endsWith("/") ? path : `${path}/`;
  const names = list(path, variable, base).filter((name) => !name.startsWith("."));
  return names
    .sort()
    .filter((name) => !isFolder(placed(folder + name, base)))
    .map((name) => [name, readSecret(folder + name, variable, base)]);
}

function list(path: string, variable: string | undefined, base: string | undefined): string[] {
  try {
    return readdirSync(placed(path, base));
  } catch (error) {
    throw unreadable(path, variable, error);
  }
}

/** False also for what cannot be told: reading it will say why. */
function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
