// Runs the Worker of a project in workerd, bundled as Wrangler does, and prints its answer.
import { createRequire } from "node:module";
import { copyFileSync } from "node:fs";
import { join } from "node:path";

const [, , folder] = process.argv;
const require = createRequire(new URL("./runtimes/package.json", import.meta.url));
const { build } = require("esbuild");
const { Miniflare } = require("miniflare");
const outfile = join(folder, "out/handler.mjs");

const modules = [];
// The module stays a file: Workers compile nothing at run time.
const keepModule = {
  name: "wasm",
  setup({ onResolve }) {
    onResolve({ filter: /\.wasm$/ }, ({ path, resolveDir }) => {
      modules.push(join(resolveDir, path));
      return { path, external: true };
    });
  },
};
await build({
  entryPoints: [join(folder, "handler.mjs")],
  outfile,
  bundle: true,
  format: "esm",
  conditions: ["workerd", "worker", "browser"],
  plugins: [keepModule],
});
for (const path of modules) copyFileSync(path, join(folder, "out/reseal.wasm"));

const { default: frozen } = await import(join(folder, "frozen.mjs"));
const miniflare = new Miniflare({
  modules: [
    { type: "ESModule", path: outfile },
    { type: "CompiledWasm", path: join(folder, "out/reseal.wasm") },
  ],
  modulesRoot: join(folder, "out"),
  compatibilityDate: "2026-01-01",
  bindings: { RESEAL_PRIMARY_KEY: frozen.keys.primary },
});
try {
  const answer = await miniflare.dispatchFetch("http://localhost/");
  console.log(await answer.text());
} finally {
  await miniflare.dispose();
}
