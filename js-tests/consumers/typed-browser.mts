// The browser entry, as a bundler with the condition `browser` resolves it, and by its name.
import { init, Key, Keyring, type WasmSource } from "reseal";
import { init as named } from "reseal/browser";

const source: WasmSource = new URL("https://example.com/reseal.wasm");
await init(source);
await named(fetch("/reseal.wasm"));
const ring = new Keyring({ primary: Key.generate() });
ring.seal("x", {});
