// The entry for Workers: they import the module beside this file, and compile nothing.
import module from "./reseal.wasm";
import { useWeb } from "./web-platform.js";

export * from "./index.js";
export { init } from "./nothing-to-init.js";

useWeb(() => module);
