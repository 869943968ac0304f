// The entry of `reseal/slim` for Node, Deno and Bun.
export * from "./index-slim.js";
export { init } from "./node-platform.js";
