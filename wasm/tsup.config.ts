import { readFileSync } from "node:fs";
import { defineConfig } from "tsup";

const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };

export default defineConfig({
  entry: { node: "ts/node.ts", browser: "ts/browser.ts", jobs: "ts/jobs.ts", sql: "ts/sql.ts" },
  format: ["esm", "cjs"],
  outExtension: ({ format }) => ({ js: format === "esm" ? ".mjs" : ".cjs" }),
  // `using` needs a library that not every tsconfig names.
  dts: { banner: '/// <reference lib="esnext.disposable" />' },
  define: { RESEAL_VERSION: JSON.stringify(version) },
  clean: true,
  target: "es2022",
  platform: "neutral",
  // `reseal/jobs` and `reseal/sql` take the classes of `reseal` from there, so that errors are theirs.
  external: [/^node:/, "reseal"],
  // One file per entry: a bundler then sees `new URL("./reseal.wasm", import.meta.url)` where it is.
  splitting: false,
  treeshake: true,
  esbuildOptions(options) {
    // In the CommonJS files that expression is never reached, or has a fallback.
    options.logOverride = { "empty-import-meta": "silent" };
  },
});
