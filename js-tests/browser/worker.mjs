// The web worker: a module of its own. Workers have no import map, so the file is named.
import * as reseal from "/dist/browser.mjs";
import { runPlace } from "./place.mjs";

for await (const event of runPlace(reseal, new URL(location.href).searchParams)) postMessage(event);
postMessage({ done: true });
