// Runs and type-checks small programs against the packed package in the folder given, and prints
// `RESULT passed=N failed=N skipped=N`.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = process.argv[2];
if (folder === undefined) throw new Error("usage: run.mjs FOLDER");
const here = fileURLToPath(new URL(".", import.meta.url));
const modules = join(here, "..", "node_modules");
const counts = { passed: 0, failed: 0, skipped: 0 };

const nodes = {
  [`node ${process.version}`]: process.execPath,
  "node 22": join(modules, "node-22/bin/node"),
  "node 24": join(modules, "node-24/bin/node"),
};
const programs = ["program.mjs", "program.cjs"];
const sources = ["typed.mts", "typed.cts", "typed-browser.mts"];
for (const file of [...programs, ...sources]) copyFileSync(join(here, file), join(folder, file));
writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');

for (const [name, node] of Object.entries(nodes)) {
  for (const program of programs) {
    if (existsSync(node)) check(`${program} on ${name}`, () => run(node, program));
    else skip(`${program} on ${name}`, "no binary for this platform");
  }
}

// No `skipLibCheck`, no types of Node: the declarations stand by themselves.
const typescript = join(modules, "typescript/bin/tsc");
const strict = { strict: true, target: "es2022", types: [], lib: ["es2022"] };
const node16 = { ...strict, module: "node16", moduleResolution: "node16" };
const bundler = { ...strict, module: "esnext", moduleResolution: "bundler", noEmit: true };
const browser = { ...bundler, customConditions: ["browser"], lib: ["es2022", "dom"] };
typed("node16", ["typed.mts", "typed.cts"], { ...node16, outDir: "typed" });
typed("bundler", ["typed.mts"], bundler);
typed("bundler for browsers", ["typed-browser.mts"], browser);
for (const program of ["typed/typed.mjs", "typed/typed.cjs"]) {
  check(`${program}, compiled`, () => run(process.execPath, program));
}

check("what is packed", () => {
  const list = execFileSync("tar", ["-tzf", tarball()], { encoding: "utf8" });
  // What several entries declare stands in a file whose name has a hash.
  const all = list.trim().split("\n").map((name) => name.replace("package/", "")); // prettier-ignore
  const names = all.filter((name) => !/^dist\/[a-z-]+-[\w-]{8}\.d\.c?ts$/.test(name)).sort();
  const formats = ["cjs", "d.cts", "d.ts", "mjs"];
  const built = ["browser", "jobs", "node", "sql"].flatMap((entry) =>
    formats.map((end) => `dist/${entry}.${end}`),
  );
  const papers = ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "package.json"];
  const others = ["dist/cli.mjs", "dist/reseal.wasm", "dist/reseal-cli.wasm"];
  const expected = [...papers, ...built, ...others].sort();
  if (names.join() !== expected.join()) throw new Error(`packed: ${names.join(", ")}`);
});

check("the module holds no path of the machine that built it", () => {
  const bytes = readFileSync(join(folder, "node_modules/reseal/dist/reseal.wasm"), "latin1");
  for (const path of [`${homedir()}/`, join(here, "../.."), "/home/", "/Users/"]) {
    if (bytes.includes(path)) throw new Error(`it holds ${path}`);
  }
});

console.log(`RESULT passed=${counts.passed} failed=${counts.failed} skipped=${counts.skipped}`);
process.exitCode = counts.failed === 0 ? 0 : 1;

function run(node, program) {
  const output = execFileSync(node, [program], { cwd: folder, encoding: "utf8", stdio: "pipe" });
  if (!output.includes("all good")) throw new Error(output);
}

function typed(name, files, compilerOptions) {
  check(`TypeScript, ${name}`, () => {
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
    execFileSync(process.execPath, [typescript], { cwd: folder, encoding: "utf8", stdio: "pipe" });
  });
}

function tarball() {
  const { version } = JSON.parse(
    readFileSync(join(folder, "node_modules/reseal/package.json"), "utf8"),
  );
  return join(folder, `reseal-${version}.tgz`);
}

function check(name, body) {
  mkdirSync(folder, { recursive: true });
  try {
    body();
    counts.passed += 1;
    console.log(`passed: ${name}`);
  } catch (error) {
    counts.failed += 1;
    console.log(`FAILED: ${name}\n${error.stdout ?? ""}${error.stderr ?? ""}${error.message}`);
  }
}

function skip(name, reason) {
  counts.skipped += 1;
  console.log(`skipped: ${name} (${reason})`);
}
