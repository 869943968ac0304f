// The entry of `reseal/slim` that holds the module itself.
import { moduleBytes } from "./inline-platform.js";
import { useWeb } from "./web-platform.js";

export * from "./index-slim.js";
export { init } from "./inline-platform.js";

useWeb(moduleBytes);
