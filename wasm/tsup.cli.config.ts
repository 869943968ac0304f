// The command `reseal`, after tsup.config.ts has emptied `dist`.
import { defineConfig } from "tsup";

export default defineConfig({
  entry: { cli: "ts/cli.ts" },
  format: ["esm"],
  outExtension: () => ({ js: ".mjs" }),
  target: "es2022",
  platform: "node",
  splitting: false,
  treeshake: true,
});
