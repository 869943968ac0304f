// How each bundler is told to make files for browsers from a project: nothing but what
// docs/runtimes.md tells its users. Each gives the folder with the files, as page.mjs and so on.
import { createRequire } from "node:module";
import { join } from "node:path";
import { copyInto, HERE } from "./project.mjs";

const require = createRequire(join(HERE, "bundlers/package.json"));
/** The pages, and the worker that a page starts. */
const ENTRIES = ["page", "starter", "worker"];
/** The module that lies beside the entry; the bundlers of this kind do not copy it. */
const moduleFile = (folder, entry) => ({
  "reseal.wasm": join(folder, "node_modules", `${entry}/dist/reseal.wasm`.replace("reseal/slim/dist", "reseal/dist/slim")), // prettier-ignore
});

export const BUNDLERS = { esbuild, rollup, vite, webpack };

async function esbuild(folder, entry, names = ENTRIES) {
  const outdir = join(folder, "out");
  await createRequire(join(HERE, "runtimes/package.json"))("esbuild").build({
    entryPoints: names.map((name) => join(folder, `${name}.mjs`)),
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    target: "es2022",
  });
  if (!entry.endsWith("inline")) copyInto(outdir, moduleFile(folder, entry));
  return outdir;
}

async function rollup(folder, entry, names = ENTRIES) {
  const { nodeResolve } = require("@rollup/plugin-node-resolve");
  const dir = join(folder, "out");
  const bundle = await require("rollup").rollup({
    input: names.map((name) => join(folder, `${name}.mjs`)),
    plugins: [nodeResolve({ browser: true })],
  });
  // In one folder with the module.
  await bundle.write({ dir, format: "es", entryFileNames: "[name].mjs", chunkFileNames: "[name]-[hash].mjs" }); // prettier-ignore
  if (!entry.endsWith("inline")) copyInto(dir, moduleFile(folder, entry));
  return dir;
}

async function vite(folder, entry, names = ENTRIES) {
  const { build } = await import(require.resolve("vite").replace(/index\.cjs$/, "dist/node/index.js")); // prettier-ignore
  // The worker is found where it is started.
  const input = names
    .filter((name) => name !== "worker")
    .map((name) => join(folder, `${name}.mjs`));
  await build({
    root: folder,
    base: "./",
    configFile: false,
    logLevel: "warn",
    worker: { format: "es" },
    build: {
      outDir: "out",
      minify: false,
      target: "es2022",
      modulePreload: false,
      rollupOptions: { input, output: { entryFileNames: "[name].mjs" } },
    },
  });
  return join(folder, "out");
}

async function webpack(folder, entry, names = ENTRIES) {
  const path = join(folder, "out");
  const compiler = require("webpack")({
    mode: "production",
    context: folder,
    optimization: { minimize: false },
    entry: Object.fromEntries(names.filter((name) => name !== "worker").map((name) => [name, `./${name}.mjs`])), // prettier-ignore
    output: { path, filename: "[name].mjs" },
    // The module is larger than what webpack warns of.
    performance: false,
  });
  await new Promise((resolve, reject) => {
    compiler.run((error, stats) => {
      if (error) reject(error);
      else if (stats.hasErrors() || stats.hasWarnings())
        reject(new Error(stats.toString("errors-warnings"))); // prettier-ignore
      else compiler.close(() => resolve());
    });
  });
  return path;
}
