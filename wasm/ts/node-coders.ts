// In the bundles for Node these take the place of the globals, which an environment for tests may lack.
export { TextDecoder, TextEncoder } from "node:util";
