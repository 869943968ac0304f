// An application that reads the profiles of Freeboard through Reseal, in whatever format they are.
import { Manifest } from "reseal";
import { read } from "../guide.mjs";

await read(Manifest.load());
