// Firefox, by puppeteer-core over WebDriver BiDi.
import puppeteer from "puppeteer-core";
import { sessionOf } from "./session.mjs";

/** How to start one whose engine lacks something; of SIMD there is no switch. */
export const LACKING = { WebAssembly: { preferences: { "javascript.options.wasm": false } } };

export async function open(path, url, { preferences = {} } = {}) {
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: path,
    headless: true,
    extraPrefsFirefox: preferences,
  });
  const kill = () => browser.process()?.kill("SIGKILL");
  try {
    return await sessionOf(await browser.newPage(), url, kill, () => browser.close());
  } catch (error) {
    kill();
    throw error;
  }
}
