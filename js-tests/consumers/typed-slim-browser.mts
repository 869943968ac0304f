// The slim entry for browsers, by its name and by the condition.
import { init, Key, Keyring, type WasmSource } from "reseal/slim";
import { init as named } from "reseal/slim/browser";

const source: WasmSource = "/reseal.wasm";
await init(source);
await named(fetch("/reseal.wasm"));
new Keyring({ primary: Key.generate() }).seal("x", {});
