// Which package a URL takes as its driver, and what is said where there is none that works.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SECRET } from "./database-support.js";

const NODE_24 = fileURLToPath(new URL("node_modules/node-24/bin/node", import.meta.url));
const WITHOUT_SQLITE = [NODE_24, "--no-experimental-sqlite"];
const MODULES = fileURLToPath(new URL("node_modules", import.meta.url));

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "reseal-drivers-"))));
afterEach(() => rmSync(folder, { recursive: true }));

test("a SQLite of Node that gives rows as objects is not taken", () => {
  writeFileSync(join(folder, "empty.db"), "");
  const before = `
    import { DatabaseSync, StatementSync } from "node:sqlite";
    delete StatementSync.prototype.setReturnArrays;
  `;
  const after = 'await of(new DatabaseSync(":memory:")).catch(({ code }) => console.log(code));';
  const [connected, given] = tried([NODE_24], ["sqlite:///empty.db"], before, after);
  expect(connected).toMatch(/^engine-unsupported node:sqlite .*Node 22\.16 .*better-sqlite3$/);
  expect(given).toBe("engine-unsupported");
});

test("a driver that is missing", () => {
  const urls = ["postgresql://u:p@127.0.0.1/d", "mysql://u:p@127.0.0.1/d"];
  const [postgres, mysql] = tried([process.execPath], urls);
  expect(postgres).toMatch(/^engine-unsupported .*npm install pg$/);
  expect(mysql).toMatch(/^engine-unsupported .*npm install mysql2$/);
});

test("a driver whose native part is missing, or is one for another Node", () => {
  const place = join(folder, "node_modules/better-sqlite3");
  mkdirSync(place, { recursive: true });
  const message = "Could not locate the bindings file.";
  const source = `module.exports = class { constructor() { throw new Error("${message}"); } };`;
  writeFileSync(join(place, "index.js"), source);
  writeFileSync(join(folder, "empty.db"), "");
  const urls = ["sqlite:///empty.db"];
  expect(tried([NODE_24], urls)[0]).toBe("sqlite");
  expect(tried(WITHOUT_SQLITE, urls)[0]).toBe(
    "engine-unsupported better-sqlite3 has no binary for this Node: npm rebuild better-sqlite3",
  );
});

test("a driver that is there, and cannot be loaded", () => {
  const place = join(folder, "node_modules/pg");
  mkdirSync(place, { recursive: true });
  const urls = ["postgresql://u:p@127.0.0.1/d"];
  for (const [source, reason] of [
    ['require("pg-nowhere")', "MODULE_NOT_FOUND"],
    [`throw new RangeError("${SECRET}")`, "RangeError"],
  ] as const) {
    writeFileSync(join(place, "index.js"), source);
    expect(tried([process.execPath], urls)[0]).toBe(
      `engine-unsupported pg is there, but cannot be loaded (${reason})`,
    );
  }
});

test("a driver that is missing, where the folder of the program is gone", () => {
  const [said] = tried([NODE_24], ["postgresql://u:p@127.0.0.1/d"], leaving());
  expect(said).toBe("engine-unsupported a driver for postgresql is missing: npm install pg");
});

test("a program that runs in a vm has the driver beside it, where its folder is gone", () => {
  symlinkSync(MODULES, join(folder, "node_modules"));
  expect(triedInVm(WITHOUT_SQLITE, leaving())).toBe("sqlite");
});

test("a bundle that says it is elsewhere has the driver of the project", () => {
  symlinkSync(MODULES, join(folder, "node_modules"));
  writeFileSync(join(folder, "empty.db"), "");
  const elsewhere = mkdtempSync(join(tmpdir(), "reseal-drivers-"));
  const url = '--define:import.meta.url="https://example.org/app.js"';
  const bundle = bundled("esm", join(elsewhere, "app.mjs"), url);
  expect(tried(WITHOUT_SQLITE, ["sqlite:///empty.db"], "", "", bundle)[0]).toBe("sqlite");
  rmSync(elsewhere, { recursive: true });
});

test("a module that this Node lacks is missing in a test of jest too", () => {
  // Its `require` resolves whatever is called `node:`.
  const asJest = `
    const { createRequire } = modules;
    modules.createRequire = (place) => {
      const real = createRequire(place);
      const resolve = (name) => (name.startsWith("node:") ? name : real.resolve(name));
      return Object.assign((name) => real(name), { resolve });
    };
  `;
  expect(triedInVm(WITHOUT_SQLITE, asJest)).toBe(
    "engine-unsupported a driver for sqlite is missing: npm install better-sqlite3",
  );
});

/** What has a program go to a folder, which goes then. */
function leaving(): string {
  const gone = JSON.stringify(join(folder, "gone"));
  const fs = 'process.getBuiltinModule("node:fs")';
  return `${fs}.mkdirSync(${gone}); process.chdir(${gone}); ${fs}.rmdirSync(${gone});`;
}

/** What comes of connecting, in this folder and a process of its own. */
function tried(
  [node, ...flags]: string[],
  urls: string[],
  before = "",
  after = "",
  bundle = bundled("esm", join(folder, "missing.mjs")),
): string[] {
  expect(readFileSync(bundle, "utf8")).not.toContain('"mysql2/promise")');
  const program = `
    import { connect, of } from ${JSON.stringify(bundle)};
    ${before}
    for (const url of ${JSON.stringify(urls)}) {
      const { code, dialect, message } = await connect(url).catch((error) => error);
      console.log(dialect ?? \`\${code} \${message}\`);
    }
    ${after}
  `;
  const line = [...flags, "--no-warnings", "--input-type=module", "-e", program];
  return execFileSync(node!, line, { cwd: folder, encoding: "utf8" }).split("\n");
}

/** The same of a file of SQLite, in CommonJS and as jest does it: its modules run in a vm that imports nothing. */
function triedInVm([node, ...flags]: string[], before: string): string {
  const path = join(folder, "empty.db");
  writeFileSync(path, "");
  const bundle = bundled("cjs", join(folder, "missing.cjs"), "--define:import.meta.url=undefined");
  const program = `
    const { readFileSync } = require("node:fs");
    const { runInThisContext } = require("node:vm");
    const modules = { ...require("node:module") };
    ${before}
    const path = ${JSON.stringify(bundle)};
    const code = \`(function (module, require, __filename) {\${readFileSync(path, "utf8")}\n})\`;
    const module_ = { exports: {} };
    const required = (name) => (name === "node:module" ? modules : require(name));
    runInThisContext(code)(module_, required, path);
    module_.exports.connect(${JSON.stringify(`sqlite:///${path}`)}).then(
      ({ dialect }) => console.log(dialect),
      ({ code, message }) => console.log(\`\${code} \${message}\`),
    );
  `;
  const line = [...flags, "--no-warnings", "--input-type=commonjs", "-e", program];
  return execFileSync(node!, line, { cwd: folder, encoding: "utf8" }).trim();
}

/** The drivers in one file. */
function bundled(format: "esm" | "cjs", outfile: string, ...more: string[]): string {
  const source = fileURLToPath(new URL("../wasm/ts/database.ts", import.meta.url));
  const esbuild = fileURLToPath(new URL("../wasm/node_modules/.bin/esbuild", import.meta.url));
  const options = ["--bundle", "--platform=node", `--format=${format}`, "--log-level=error"];
  execFileSync(esbuild, [...options, ...more, source, `--outfile=${outfile}`]);
  return outfile;
}
