// Starts the module, then the panels.
import { init, version } from "./reseal/browser.mjs";
import { byId, problem, typed } from "./lib/dom.mjs";
import { forgetAll } from "./lib/shelf.mjs";
import { startTabs } from "./lib/tabs.mjs";
import { startTheme } from "./lib/theme.mjs";
import { startInspect } from "./panels/inspect.mjs";
import { startKeys } from "./panels/keys.mjs";
import { startValues } from "./panels/values.mjs";
import { startCensus } from "./panels/census.mjs";
import { startRotation } from "./panels/rotation.mjs";

startTheme(byId("theme"));
try {
  await init();
  for (const start of [startInspect, startKeys, startValues, startCensus, startRotation]) start();
  byId("version").textContent = version;
  byId("starting").remove();
  startTabs(typed(document.querySelector("[role=tablist]"), HTMLElement));
  addEventListener("pagehide", leave);
} catch (error) {
  byId("starting").replaceChildren(problem(error));
}

/** A browser may keep a page that somebody left, and show it again: without keys and values. */
function leave() {
  forgetAll();
  for (const id of ["inspect-value", "values-plain", "values-stored"]) {
    const field = typed(byId(id), HTMLTextAreaElement);
    field.value = "";
    field.dispatchEvent(new Event("input"));
  }
  typed(byId("keys-text"), HTMLInputElement).value = "";
}
