// A web worker, which a page of its own starts.
import { main } from "./main.mjs";

main().then(
  (text) => postMessage(text),
  (error) => postMessage(String(error)),
);
