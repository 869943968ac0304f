// The same of CommonJS.
import reseal = require("reseal");
import jobs = require("reseal/jobs");
import sql = require("reseal/sql");

declare const console: { log(text: string): void };

const ring: reseal.Keyring = new reseal.Keyring({ primary: reseal.Key.generate() });
const stored: string = ring.seal("x", { row: 1 });
const text: string = ring.openString(stored, { row: 1 });
const unused: [jobs.JobReport, sql.SqlKeysetStore] | undefined = undefined;
if (text === "x" && unused === undefined) console.log("all good");
