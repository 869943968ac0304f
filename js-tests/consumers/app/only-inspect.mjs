// A program that needs one function: the bundle must not hold the rest.
import { init, inspect } from "reseal";

await init();
console.log(inspect("RS1"));
