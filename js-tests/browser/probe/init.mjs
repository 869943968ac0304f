// What becomes of `init` where this is loaded.
import { init, Key } from "/dist/browser.mjs";

/** The use of a new key, or the error. */
export async function tryInit() {
  try {
    await init();
    return { use: Key.generate().use };
  } catch ({ name, code, message }) {
    return { name, code, message };
  }
}
