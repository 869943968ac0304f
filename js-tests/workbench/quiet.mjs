// The page sends nothing and keeps nothing: its requests, its policy, its storage, without a network.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { openPage, ROOT } from "./harness.mjs";
import { SCENES } from "./scenes.mjs";

const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

export async function quietCases(report, { browser, url, server }) {
  await report.awaited("the policy, in the page and in the header", async () => {
    const response = await fetch(url);
    assert.ok((await response.text()).includes(`content="${POLICY}"`));
    assert.equal(
      response.headers.get("content-security-policy"),
      `${POLICY}; frame-ancestors 'none'`,
    );
  });
  await report.awaited("the page has no script and no style of its own", () => {
    const html = readFileSync(join(ROOT, "workbench/page/index.html"), "utf8");
    assert.doesNotMatch(html, /<script(?![^>]*src=)|<style|\sstyle=|\son[a-z]+=/);
  });
  await report.awaited("nothing outside its folder is served", async () => {
    for (const path of ["../Makefile", "%2e%2e/%2e%2e/Makefile", "..%2f..%2fMakefile", "%"]) {
      assert.equal((await fetch(`${url}${path}`)).status, 404, path);
    }
  });
  await report.awaited("from disk the page says how to serve it", async () => {
    const page = await browser.newPage();
    await page.goto(pathToFileURL(join(ROOT, "target/workbench-tests/index.html")).href);
    assert.match(await page.locator("#starting").innerText(), /opened from disk[^]*http\.server/);
    assert.equal(await page.locator("[role=tabpanel]:visible").count(), 0);
    await page.close();
  });
  await policyCases(report, { browser, url });
  await sessionCases(report, { browser, url, server });
}

/** What the policy is for is refused, and would be seen by every other test. */
async function policyCases(report, { browser, url }) {
  const other = createServer((_, response) => response.end("reached"));
  await new Promise((resolve) => other.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${other.address().port}/`;
  const { page, context, seen } = await openPage(browser, url);
  for (const [what, attempt, words] of [
    ["a request to another place", (to) => void fetch(to).catch(() => {}), /policy: connect-src/],
    ["a picture of another place", (to) => void (new Image().src = to), /policy: img-src/],
    ["code made of text", () => void setTimeout("window.evaluated = true"), /policy: script-src/],
    [
      "a style in an element",
      () => document.body.setAttribute("style", "color: red"),
      /policy: style-src/,
    ],
    ["a script of another place", (to) => void document.body.append(Object.assign(document.createElement("script"), { src: to })), /policy: script-src/], // prettier-ignore
  ]) {
    await report.awaited(`refused: ${what}`, async () => {
      seen.complaints.length = 0;
      await page.evaluate(attempt, address);
      for (let tries = 0; tries < 100 && !words.test(seen.complaints.join()); tries++) {
        await page.waitForTimeout(20);
      }
      assert.match(seen.complaints.join(), words);
      assert.equal(await page.evaluate(() => window.evaluated), undefined);
    });
  }
  await context.close();
  other.close();
  other.closeAllConnections();
}

/** A whole session: the page is loaded, then the network and the server are gone. */
async function sessionCases(report, { browser, url, server }) {
  const { page, context, seen } = await openPage(browser, url);
  const atStart = [...seen.requests];
  await context.setOffline(true);
  server.close();
  server.closeAllConnections();
  const secrets = [];
  for (const [name, scene] of Object.entries(SCENES)) {
    await report.awaited(`without a network: ${name}`, async () => {
      await scene(page);
      secrets.push(
        ...(await page.locator(".secret").allInnerTexts()).filter((text) => text !== ""),
      );
      secrets.push(await page.locator("#values-stored").inputValue());
    });
  }
  await report.awaited("only files of the page were asked for, and only at the start", () => {
    assert.ok(atStart.length > 10);
    for (const request of atStart) assert.ok(request.startsWith(`GET ${url}`), request);
    assert.deepEqual(seen.requests, atStart);
  });
  await report.awaited("nothing is kept, and no secret is in address or title", async () => {
    assert.ok(secrets.some((secret) => secret.startsWith("rsk1.")));
    const kept = await page.evaluate(async () => {
      const [databases, caches_] = [await indexedDB.databases(), await caches.keys()];
      return [localStorage.length, sessionStorage.length, databases.length, caches_.length];
    });
    assert.deepEqual(kept, [0, 0, 0, 0]);
    assert.deepEqual(await context.cookies(), []);
    const { href, title, state } = await page.evaluate(() => ({ href: location.href, title: document.title, state: history.state })); // prettier-ignore
    assert.equal(href, `${url}#rotation`);
    assert.equal(title, "Rotation · Reseal workbench");
    assert.equal(state, null);
  });
  await report.awaited("no complaint", () => assert.deepEqual(seen.complaints, []));
  await context.close();
}
