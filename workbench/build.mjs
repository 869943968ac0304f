// Puts the workbench in one folder: the page, the package beside it, the parser of CSV, and what to
// do about each error, from the specification.  node workbench/build.mjs FOLDER
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, posix, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * Builds the page in a folder, which is made anew.
 *
 * @param {string} folder
 */
export function build(folder) {
  /** @type {(from: string, to: string) => void} */
  const put = (from, to) => cpSync(join(ROOT, from), join(folder, to), { recursive: true });
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "reseal"), { recursive: true });
  put("workbench/page", ".");
  for (const script of scriptsOf("browser.mjs")) put(`wasm/dist/${script}`, `reseal/${script}`);
  put("wasm/dist/reseal.wasm", "reseal/reseal.wasm");
  for (const license of ["LICENSE-APACHE", "LICENSE-MIT"]) put(license, license);
  put("wasm/node_modules/papaparse/papaparse.min.js", "papaparse.min.js");
  put("wasm/node_modules/papaparse/LICENSE", "papaparse.LICENSE");
  writeFileSync(join(folder, "errors.mjs"), advice());
  writeFileSync(join(folder, "index.html"), page());
}

/**
 * A script of the package and those that it imports, which lie in folders beside it.
 *
 * @param {string} script
 * @param {Set<string>} found
 */
function scriptsOf(script, found = new Set()) {
  if (found.has(script)) return found;
  found.add(script);
  const text = readFileSync(join(ROOT, "wasm/dist", script), "utf8");
  for (const [, path = ""] of text.matchAll(/\b(?:from|import) ?"(\.{1,2}\/[^"]+\.mjs)"/g)) {
    scriptsOf(posix.join(posix.dirname(script), path), found);
  }
  return found;
}

/** The page with its icon inside: browsers ask for one again whenever the address changes. */
function page() {
  const html = readFileSync(join(ROOT, "workbench/page/index.html"), "utf8");
  const icon = readFileSync(join(ROOT, "workbench/page/mark.svg"), "utf8");
  return html.replace('href="mark.svg"', `href="data:image/svg+xml,${encodeURIComponent(icon)}"`);
}

/** The module that tells by its code what to do about an error. */
function advice() {
  const text = readFileSync(join(ROOT, "spec/errors.md"), "utf8");
  const rows = text.matchAll(/^\| `([a-z-]+)` \| \w+ \| .* \| (.+) \|$/gm);
  const words = Object.fromEntries(
    Array.from(rows, ([, code = "", what = ""]) => [code, plainWords(what)]),
  );
  if (!("auth-failed" in words)) throw new Error("spec/errors.md has another shape now");
  const literal = JSON.stringify(words, null, 2);
  return `// From spec/errors.md.\nexport const WHAT_TO_DO = ${literal};\n`;
}

/**
 * Without the marks of Markdown.
 *
 * @param {string} markdown
 */
function plainWords(markdown) {
  return markdown.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/`/g, "");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , folder] = process.argv;
  if (folder === undefined) throw new Error("usage: node workbench/build.mjs FOLDER");
  build(resolve(folder));
}
