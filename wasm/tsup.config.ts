import { readFileSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import type { Plugin } from "esbuild";
import { defineConfig, type Options } from "tsup";

const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };

/** Both packages have the same TypeScript; they differ in the module, its glue, and what they export. */
interface Flavour {
  readonly outDir: string;
  readonly prefix: string;
  readonly glue: string;
  /** Further entries, for which Node's is there. */
  readonly others: Record<string, string>;
}

const FLAVOURS: Flavour[] = [
  {
    outDir: "dist",
    prefix: "ts/",
    glue: "pkg",
    others: { jobs: "ts/jobs.ts", sql: "ts/sql.ts" },
  },
  { outDir: "dist/slim", prefix: "ts/slim-", glue: "pkg-slim", others: {} },
];
/** Entries that run where there are no files, as ES modules and as CommonJS. */
const WEB = ["browser", "workerd", "edge-light", "inline"];
const WEB_CJS = ["browser", "inline"];
/** What stands in files of its own, so that a bundler leaves out whatever nobody imports. */
const PARTS = ["codecs", "column", "keyring", "keyset-file", "live", "manifest"];
const PART = "part-";

const common: Options = {
  define: { RESEAL_VERSION: JSON.stringify(version) },
  target: "es2022",
  platform: "neutral",
  // With the TypeScript in them.
  sourcemap: true,
  outExtension: ({ format }) => ({ js: format === "esm" ? ".mjs" : ".cjs" }),
  // `reseal/jobs` and `reseal/sql` take the classes of `reseal` from there, so that errors are theirs.
  // Workers and edge functions import the module beside the entry.
  external: [/^node:/, "reseal", /^\.\/reseal\.wasm/],
  treeshake: true,
  splitting: false,
  silent: true,
};

export default defineConfig([...FLAVOURS.flatMap(programs), ...FLAVOURS.map(declarations)]);

function programs(flavour: Flavour): Options[] {
  const { outDir, prefix, others } = flavour;
  const web = (names: string[]) => Object.fromEntries(names.map((name) => [name, `${prefix}${name}.ts`])); // prettier-ignore
  const shared: Options = {
    ...common,
    outDir,
    esbuildPlugins: [moduleOf(flavour)],
    esbuildOptions,
  };
  const inject = ["ts/node-coders.ts"];
  const parts = Object.fromEntries(PARTS.map((name) => [PART + name, `ts/${name}.ts`]));
  return [
    // One file: Node reads nothing else, and `new URL("./reseal.wasm", import.meta.url)` is right.
    { ...shared, inject, entry: { node: `${prefix}node.ts`, ...others }, format: ["esm"] },
    // `__dirname` takes its place. What a bundler would put there asks the page where it is, if there is one.
    {
      ...shared,
      inject,
      entry: { node: `${prefix}node.ts`, ...others },
      format: ["cjs"],
      define: { ...common.define, "import.meta.url": "undefined" },
    },
    { ...shared, entry: web(WEB_CJS), format: ["cjs"] },
    {
      ...shared,
      entry: { ...web(WEB), ...parts },
      format: ["esm"],
      splitting: true,
      treeshake: false,
      // esbuild cuts along its entries; those of the parts themselves are not wanted.
      onSuccess: () => {
        for (const name of PARTS) {
          for (const end of [".mjs", ".mjs.map"]) rmSync(`${outDir}/${PART}${name}${end}`);
        }
        return Promise.resolve();
      },
    },
  ];
}

/** The types of all entries of a package at once: what they share then stands in one file. */
function declarations({ outDir, prefix, others }: Flavour): Options {
  const own = ["node", ...WEB].map((name) => [name, `${prefix}${name}.ts`]);
  const entry = { ...(Object.fromEntries(own) as Record<string, string>), ...others };
  // `using` needs a library that not every tsconfig names.
  const banner = '/// <reference lib="esnext.disposable" />';
  return { ...common, outDir, entry, format: ["esm", "cjs"], dts: { only: true, banner } };
}

/** The glue of one of the modules, and the module as base64. */
function moduleOf({ glue }: Flavour): Plugin {
  return {
    name: "module",
    setup(build) {
      build.onResolve({ filter: /^\.\.\/pkg\/.*\.js$/ }, ({ path }) => ({
        path: resolve(path.replace("../pkg", glue)),
      }));
      build.onResolve({ filter: /\?base64$/ }, () => ({
        // A comment of the bundle names it: no folder of this machine.
        path: "reseal.wasm",
        pluginData: resolve(glue, "reseal.wasm"),
        namespace: "base64",
      }));
      build.onLoad({ filter: /./, namespace: "base64" }, ({ pluginData }) => ({
        contents: readFileSync(pluginData as string),
        loader: "base64",
      }));
    },
  };
}

function esbuildOptions(options: { logOverride?: unknown; chunkNames?: string }): void {
  options.chunkNames = "web/[hash]";
  // In the CommonJS files that expression is never reached, or has a fallback.
  options.logOverride = { "empty-import-meta": "silent" };
}
