// An application that reads the tables of Metabase through Reseal, in whatever format the rows are.
import { Manifest } from "reseal";
import { read } from "../guide.mjs";

await read(Manifest.load());
