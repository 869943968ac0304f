// Chromium, by playwright-core.
import { chromium } from "playwright-core";

export const HINT = "install it (Debian: chromium), or set CHROMIUM to its path";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

/** How to start one whose engine lacks something. */
export const LACKING = {
  // On x86-64, where its SIMD needs that instruction set.
  ...(process.arch === "x64" && {
    "WebAssembly SIMD": { flags: ["--js-flags=--no-enable-sse4-1"] },
  }),
  WebAssembly: { flags: ["--js-flags=--jitless"] },
};

export async function open(path, url, { flags = [] } = {}) {
  const server = await chromium.launchServer({ executablePath: path, args: [...FLAGS, ...flags] });
  const messages = [];
  const kill = () => server.process().kill("SIGKILL");
  try {
    const connection = await chromium.connect(server.wsEndpoint());
    const page = await connection.newPage();
    page.on("console", (message) => {
      messages.push({ text: message.text(), url: message.location().url });
    });
    await page.goto(url);
    return {
      messages,
      kill,
      evaluate: (expression) => page.evaluate(expression),
      screenshot: (path) => page.screenshot({ path, fullPage: true }),
      close: () => server.close(),
    };
  } catch (error) {
    kill();
    throw error;
  }
}
