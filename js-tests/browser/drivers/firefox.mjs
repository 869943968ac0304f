// Firefox, by puppeteer-core over WebDriver BiDi.
import puppeteer from "puppeteer-core";

export const HINT = "install it (Debian: firefox-esr), or set FIREFOX to its path";

/** How to start one whose engine lacks something; of SIMD there is no switch. */
export const LACKING = { WebAssembly: { preferences: { "javascript.options.wasm": false } } };

export async function open(path, url, { preferences = {} } = {}) {
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: path,
    headless: true,
    extraPrefsFirefox: preferences,
  });
  const messages = [];
  const kill = () => browser.process()?.kill("SIGKILL");
  try {
    const page = await browser.newPage();
    page.on("console", (message) => {
      messages.push({ text: message.text(), url: message.location().url ?? "" });
    });
    await page.goto(url);
    return {
      messages,
      kill,
      evaluate: (expression) => page.evaluate(expression),
      screenshot: (path) => page.screenshot({ path, fullPage: true }),
      close: () => browser.close(),
    };
  } catch (error) {
    kill();
    throw error;
  }
}
