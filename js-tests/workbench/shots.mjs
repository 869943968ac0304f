// Takes the pictures of docs/workbench.md anew: node js-tests/workbench/shots.mjs [FOLDER]
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPage, ROOT, withWorkbench } from "./harness.mjs";
import { smaller } from "./png.mjs";
import { rotation, SCENES } from "./scenes.mjs";

const folder = process.argv[2] ?? join(ROOT, "docs/workbench");
const WIDE = { width: 1120, height: 900 };
const PHONE = { width: 360, height: 780 };

const { inspect, keys, values, census } = SCENES;
const KEPT = [
  ["inspect-light", inspect, "light", WIDE],
  ["values-dark", values, "dark", WIDE],
  ["census-light", census, "light", WIDE],
  ["rotation-dark", rotation(2), "dark", WIDE],
  ["rotation-phone", rotation(1), "light", PHONE],
  ["keys-phone", keys, "dark", PHONE],
];
/** More to look at, and not kept. */
const OTHERS = [
  ["inspect-dark", inspect, "dark", WIDE],
  ["keys-light", keys, "light", WIDE],
  ["values-light", values, "light", WIDE],
  ["values-phone", values, "light", PHONE],
  ["census-dark", census, "dark", WIDE],
  ["census-phone", census, "dark", PHONE],
  ["rotation-light", rotation(4), "light", WIDE],
  ["inspect-phone", inspect, "light", PHONE],
];

mkdirSync(folder, { recursive: true });
await withWorkbench(async (browser, url) => {
  for (const [name, prepare, colorScheme, viewport] of process.argv[2]
    ? [...KEPT, ...OTHERS]
    : KEPT) {
    const { page, context, seen } = await openPage(browser, url, { colorScheme, viewport });
    await prepare(page);
    const png = smaller(await page.screenshot({ fullPage: true }));
    writeFileSync(join(folder, `${name}.png`), png);
    if (seen.complaints.length > 0) console.log(name, seen.complaints);
    await context.close();
  }
});
