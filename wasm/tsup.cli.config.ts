// The command `reseal`, after tsup.config.ts has emptied `dist`. As CommonJS: Node starts it a fifth
// quicker, and a command is short.
import { defineConfig } from "tsup";

export default defineConfig({
  entry: { cli: "ts/cli.ts" },
  format: ["cjs"],
  outExtension: () => ({ js: ".cjs" }),
  target: "es2022",
  platform: "node",
  splitting: false,
  treeshake: true,
  define: { "import.meta.url": "moduleUrl" },
  banner: { js: 'const moduleUrl = require("node:url").pathToFileURL(__filename).href;' },
});
