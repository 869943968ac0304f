// What the page needs that is not ours; the server makes one file of it.
export { gcm } from "@noble/ciphers/aes.js";
export { default as fc } from "fast-check";
