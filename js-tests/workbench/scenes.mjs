// Each panel with something in it: for pictures, and for what holds for all of them.
import { csv } from "./exports.mjs";
import { chooseFile, panel } from "./harness.mjs";

const USERS = csv(1000);

const inspect = async (page) => {
  await panel(page, "Inspect");
  await page.getByRole("button", { name: "Show an example" }).click();
  await page.locator(".chunk").nth(2).focus();
};

const keys = async (page) => {
  await panel(page, "Keys");
  for (const use of ["data", "index", "kek"]) {
    await page.locator("#keys-use").selectOption(use);
    await page.getByRole("button", { name: "Make it" }).click();
  }
  await page
    .getByRole("button", { name: /Show key text of the data key/ })
    .first()
    .click();
};

/** A value that is opened in another row. */
const values = async (page) => {
  await panel(page, "Values");
  const make = page.getByRole("button", { name: "Make a data key" });
  if (await make.isVisible()) await make.click();
  await page.getByRole("button", { name: /^Seal/ }).click();
  await page.locator(".pair input.value").last().fill("43");
  await page.getByRole("button", { name: /^Open/ }).click();
};

const census = async (page) => {
  await panel(page, "Census");
  await chooseFile(page, "users.csv", USERS);
  await page.locator("#census-choose:visible").waitFor();
  await page.getByRole("button", { name: "Count" }).click();
  await page.getByRole("button", { name: "Download as JSON" }).waitFor();
};

export const rotation = (steps) => async (page) => {
  await panel(page, "Rotation");
  await page.locator("#rotation-again").click();
  for (let step = 0; step < steps; step++) await page.locator("#rotation-next").click();
};

export const SCENES = { inspect, keys, values, census, rotation: rotation(2) };
