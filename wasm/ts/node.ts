// The entry for Node, Deno and Bun.
export * from "./index.js";
export { init } from "./node-platform.js";
