// The entry for edge functions: as for Workers, with the name that they import a module by.
import module from "./reseal.wasm?module";
import { useWeb } from "./web-platform.js";

export * from "./index.js";
export { init } from "./nothing-to-init.js";

useWeb(() => module);
