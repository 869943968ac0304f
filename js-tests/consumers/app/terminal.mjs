// A runtime with a terminal.
import { main } from "./main.mjs";

console.log(await main());
