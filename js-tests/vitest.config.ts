import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    // Property tests over thousands of values; a hang is still noticed.
    testTimeout: 60_000,
  },
});
