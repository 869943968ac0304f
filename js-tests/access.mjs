// What every page has to be for everybody: without a finding of axe, and no wider than a phone.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const NARROW = [360, 320];

/** As a debugger would: a policy lets no other script in. */
export const bringAxe = (page) => page.evaluate(AXE);

/** `part` is a selector, where only a part of the page is ours. */
export async function axe(page, part = "html") {
  const { violations, passes } = await page.evaluate(
    (part) => window.axe.run(part, { preload: false }),
    part,
  );
  const htmlOf = (nodes) => nodes.map(({ html }) => html.slice(0, 120)).join(" | ");
  assert.deepEqual(
    violations.map(({ id, nodes }) => `${id}: ${htmlOf(nodes)}`),
    [],
  );
  assert.ok(
    passes.some(({ id }) => id === "color-contrast"),
    "axe saw no text",
  );
}

/** The page never scrolls sideways. */
export async function fits(page) {
  for (const width of NARROW) {
    await page.setViewportSize({ width, height: 780 });
    const widest = await page.evaluate(() => document.scrollingElement.scrollWidth);
    assert.ok(widest <= width, `the page is ${widest} wide where there are ${width}`);
  }
}
