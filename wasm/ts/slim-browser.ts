// The entry of `reseal/slim` for browsers, where `init` loads the module.
import { useWeb } from "./web-platform.js";

export * from "./index-slim.js";
export { init, type WasmSource } from "./browser-platform.js";

useWeb();
