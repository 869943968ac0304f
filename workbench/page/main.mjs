// Starts the module, then the panels.
import { init, version } from "./reseal/browser.mjs";
import { byId, problem, typed } from "./lib/dom.mjs";
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
} catch (error) {
  byId("starting").replaceChildren(problem(error));
}
