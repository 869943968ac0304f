// A page: the runner reads the title.
import { main } from "./main.mjs";

main().then(
  (text) => (document.title = text),
  (error) => (document.title = String(error)),
);
