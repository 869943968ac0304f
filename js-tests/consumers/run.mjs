// Runs and type-checks small programs against the packed package in the folder given, and prints
// `RESULT passed=N failed=N skipped=N`.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { check, expectGood, finish, skip } from "./checks.mjs";

const folder = process.argv[2];
if (folder === undefined) throw new Error("usage: run.mjs FOLDER");
const here = fileURLToPath(new URL(".", import.meta.url));
const modules = join(here, "..", "node_modules");
const dist = join(folder, "node_modules/reseal/dist");

const nodes = {
  [`node ${process.version}`]: process.execPath,
  "node 22": join(modules, "node-22/bin/node"),
  "node 24": join(modules, "node-24/bin/node"),
};
const programs = ["program.mjs", "program.cjs"];
const sources = readdirSync(here).filter((name) => name.startsWith("typed"));
const everywhere = ["typed-entries.mts", "typed-entries.cts"];
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
const nodenext = { ...strict, module: "nodenext", moduleResolution: "nodenext", noEmit: true };
// What `module: "commonjs"` means where nothing more is said: it does not know `exports`.
const node10 = { ...strict, module: "commonjs", moduleResolution: "node10", noEmit: true };
const bundler = { ...strict, module: "esnext", moduleResolution: "bundler", noEmit: true };
const browser = { ...bundler, customConditions: ["browser"], lib: ["es2022", "dom"] };
await typed("node16", ["typed.mts", "typed.cts"], { ...node16, outDir: "typed" });
await typed("node16, all entries", everywhere, { ...node16, noEmit: true });
await typed("nodenext", ["typed.mts", "typed.cts", ...everywhere], nodenext);
await typed("node10", ["typed.cts", "typed-entries.cts"], node10);
await typed("bundler", ["typed.mts", "typed-entries.mts"], bundler);
await typed("bundler for browsers", ["typed-browser.mts", "typed-slim-browser.mts"], browser);
await typed("bundler for Workers", ["typed-edge.mts"], {
  ...bundler,
  customConditions: ["workerd"],
});
await typed("bundler for edge functions", ["typed-edge.mts"], { ...bundler, customConditions: ["edge-light"] }); // prettier-ignore
for (const program of ["typed/typed.mjs", "typed/typed.cjs"]) {
  await check(`${program}, compiled`, () => run(process.execPath, program));
}

await check("what is packed", () => {
  const list = execFileSync("tar", ["-tzf", tarball()], { encoding: "utf8" });
  // What several entries share stands in files whose names have a hash.
  const all = list.trim().split("\n").map((name) => name.replace("package/", "")); // prettier-ignore
  const shared = /^dist\/(slim\/)?([a-z-]+-[\w-]{8}\.d\.c?ts|web\/[A-Z0-9]{8}\.mjs(\.map)?)$/;
  const names = all.filter((name) => !shared.test(name)).sort();
  const esm = ["d.ts", "mjs", "mjs.map"];
  const both = [...esm, "cjs", "cjs.map", "d.cts"];
  const entries = { node: both, browser: both, inline: both, workerd: esm, "edge-light": esm };
  const built = (where, files) =>
    Object.entries(files).flatMap(([entry, ends]) =>
      ends.map((end) => `dist/${where}${entry}.${end}`),
    );
  const lists = ["THIRD-PARTY.txt", "sbom.cdx.json"];
  const papers = ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "package.json", ...lists];
  const modules = ["dist/reseal.wasm", "dist/slim/reseal.wasm", "dist/reseal-cli.wasm"];
  const programs = [
    ...built("", { ...entries, jobs: both, sql: both }),
    ...built("slim/", entries),
  ];
  const expected = [...papers, ...programs, "dist/cli.cjs", ...modules].sort();
  const wrong = [...names.filter((name) => !expected.includes(name)), ...expected.filter((name) => !names.includes(name))]; // prettier-ignore
  if (wrong.length > 0) throw new Error(`packed, or not: ${wrong.join(", ")}`);
});

await check("source maps hold the TypeScript", () => {
  for (const map of ["node.mjs.map", "slim/node.cjs.map", "browser.mjs.map", "jobs.mjs.map"]) {
    const { sources, sourcesContent } = JSON.parse(readFileSync(join(dist, map), "utf8"));
    const at = sources.findIndex((name) => name.includes("/ts/"));
    if (at < 0 || !sourcesContent?.[at]) throw new Error(`${map} has ${sources.join(", ")}`);
  }
});

await check("nothing is awaited at the top level", () => {
  for (const name of readdirSync(dist, { recursive: true })) {
    if (!/\.[cm]js$/.test(name)) continue;
    const text = readFileSync(join(dist, name), "utf8");
    if (/^(const .*= |export .*= )?(for )?await\b/m.test(text)) throw new Error(name);
  }
});

await check("the module holds no path of the machine that built it", () => {
  for (const name of ["reseal.wasm", "slim/reseal.wasm"]) {
    const bytes = readFileSync(join(dist, name), "latin1");
    for (const path of [`${homedir()}/`, join(here, "../.."), "/home/", "/Users/"]) {
      if (bytes.includes(path)) throw new Error(`${name} holds ${path}`);
    }
  }
});

finish();

function run(node, program) {
  const output = execFileSync(node, [program], { cwd: folder, encoding: "utf8", stdio: "pipe" });
  expectGood(output);
}

async function typed(name, files, compilerOptions) {
  await check(`TypeScript, ${name}`, () => {
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
