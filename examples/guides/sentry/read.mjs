// The application in JavaScript, which reads every value through Reseal.
import { Manifest } from "reseal";
import { read } from "../guide.mjs";

await read(Manifest.load());
