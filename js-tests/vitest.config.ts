import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    // The built package, loaded by Node itself and not transformed.
    server: { deps: { external: [/\/wasm\/dist\//] } },
    // Property tests over thousands of values; a hang is still noticed.
    testTimeout: 60_000,
    // One test looks at all of the module's memory, and so needs a process of its own.
    pool: "forks",
    // Vitest leaves one core to itself, which has nothing to do.
    maxWorkers: availableParallelism(),
  },
});
