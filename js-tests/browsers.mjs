// The browsers that the tests drive: where they are, and how Chromium is started.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Without a window, and without anything that a browser does by itself. */
export const CHROMIUM_FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

const HINTS = {
  chromium: "install it (Debian: chromium), or set CHROMIUM to its path",
  firefox: "install it (Debian: firefox-esr), or set FIREFOX to its path",
  webkit: "install its driver and a display (Debian: webkit2gtk-driver xvfb)",
};

/** The path that the scripts find; a browser that is missing is a failure that says what to install. */
export function findBrowser(name) {
  const script = `source scripts/lib.sh && find_${name}`;
  const found = execFileSync("bash", ["-c", script], { cwd: ROOT, encoding: "utf8" }).trim();
  if (found === "") throw new Error(`${name} is not here: ${HINTS[name]}`);
  return found;
}
