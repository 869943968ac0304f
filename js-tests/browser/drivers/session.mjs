/** What the harness needs of a page; those of playwright-core and puppeteer-core are alike in it. */
export async function sessionOf(page, url, kill, close) {
  const messages = [];
  page.on("console", (message) => {
    messages.push({ text: message.text(), url: message.location().url ?? "" });
  });
  await page.goto(url);
  return {
    messages,
    kill,
    close,
    evaluate: (expression) => page.evaluate(expression),
    screenshot: (path) => page.screenshot({ path, fullPage: true }),
  };
}
