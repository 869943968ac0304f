// Workers and edge functions: nothing to load, and no library of browsers.
import { init, Key, Keyring } from "reseal";
import * as slim from "reseal/slim";

await init();
await slim.init();
new Keyring({ primary: Key.generate() }).seal("x", {});
