// A web worker with a module of its own. Workers have no import map, so the file is named.
import * as reseal from "/dist/browser.mjs";
import { runFace } from "./face.mjs";

await reseal.init();
const { passed, failed, leftOut } = runFace(reseal);
postMessage({ passed, failed, leftOut });
