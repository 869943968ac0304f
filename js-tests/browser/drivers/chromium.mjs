// Chromium, by playwright-core.
import { chromium } from "playwright-core";
import { CHROMIUM_FLAGS } from "../../browsers.mjs";
import { sessionOf } from "./session.mjs";

/** How to start one whose engine lacks something. */
export const LACKING = {
  // On x86-64, where its SIMD needs that instruction set.
  ...(process.arch === "x64" && {
    "WebAssembly SIMD": { flags: ["--js-flags=--no-enable-sse4-1"] },
  }),
  WebAssembly: { flags: ["--js-flags=--jitless"] },
};

export async function open(path, url, { flags = [] } = {}) {
  const args = [...CHROMIUM_FLAGS, ...flags];
  const server = await chromium.launchServer({ executablePath: path, args });
  const kill = () => server.process().kill("SIGKILL");
  try {
    const connection = await chromium.connect(server.wsEndpoint());
    return await sessionOf(await connection.newPage(), url, kill, () => server.close());
  } catch (error) {
    kill();
    throw error;
  }
}
