// Runs a job on the database of a URL, and prints the peak of the memory of this process in KiB.
import { readFileSync } from "node:fs";
import { Manifest } from "reseal";
import { apply } from "reseal/jobs";

const [url, manifest, wanted] = process.argv.slice(2);
const report = await apply(url, { manifest: Manifest.parse(manifest) });
const moved = report.columns[0].total.resealed.reduce((sum, { values }) => sum + values, 0);
if (moved !== Number(wanted)) throw new Error(`the job resealed ${moved} rows`);
console.log(/VmHWM:\s*(\d+)/u.exec(readFileSync("/proc/self/status", "utf8"))[1]);
