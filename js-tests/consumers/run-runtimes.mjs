// The packed package in Deno, in Bun and in the runtime of Cloudflare Workers. Each comes from npm,
// pinned in runtimes/. `run-runtimes.mjs CONSUMER`, where scripts/consumer.sh has unpacked it.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { check, expectGood, finish, skip } from "./checks.mjs";
import { HERE, project } from "./project.mjs";

const consumer = process.argv[2];
if (consumer === undefined) throw new Error("usage: run-runtimes.mjs CONSUMER");
const modules = join(HERE, "runtimes/node_modules");
const entries = ["reseal", "reseal/slim", "reseal/inline", "reseal/slim/inline"];

if (!existsSync(modules)) throw new Error("the runtimes are missing: scripts/bootstrap.sh");
const deno = binary("@deno", "deno");
const bun = binary("@oven", "bin/bun");
for (const entry of entries) {
  const folder = project(`runtimes-${entry.replaceAll("/", "-")}`, { consumer, entry });
  // Nothing may be asked for but the files of the project.
  await run(`${entry} in Deno`, deno, ["run", "--no-remote", "--no-prompt", "--node-modules-dir=manual", `--allow-read=${folder},${consumer}`, "terminal.mjs"], folder); // prettier-ignore
  await run(`${entry} in Bun`, bun, ["run", "terminal.mjs"], folder);
}
// What the README does, and the jobs.
await run("program.cjs in Bun", bun, ["run", "program.cjs"], consumer);
await run("program.mjs in Bun", bun, ["run", "program.mjs"], consumer);
await run("program.mjs in Deno", deno, ["run", "--no-remote", "--node-modules-dir=manual", "-A", "program.mjs"], consumer); // prettier-ignore

// Miniflare needs Node 22, and bundles nothing: esbuild does, as Wrangler has it do.
const node = [process.execPath, join(HERE, "../node_modules/node-22/bin/node")].find(isNewer);
for (const entry of ["reseal", "reseal/slim"]) {
  const folder = project(`workerd-${entry.replaceAll("/", "-")}`, { consumer, entry });
  const program = [join(HERE, "workerd.mjs"), folder];
  await run(`${entry} in workerd`, node, program, folder);
}
finish();

async function run(name, command, options, cwd) {
  if (command === undefined) return skip(name, "no binary for this platform");
  const how = { cwd, encoding: "utf8", stdio: "pipe", timeout: 60_000, env: { ...process.env, NO_COLOR: "1" } }; // prettier-ignore
  await check(name, () => expectGood(execFileSync(command, options, how)));
}

/** The program in the package for this platform: the scripts that would link it do not run. */
function binary(scope, file) {
  const folder = join(modules, scope);
  const platforms = existsSync(folder) ? readdirSync(folder) : [];
  return platforms.map((name) => join(folder, name, file)).find((path) => existsSync(path));
}

function isNewer(path) {
  if (!existsSync(path)) return false;
  const version = execFileSync(path, ["--version"], { encoding: "utf8" });
  return Number(version.slice(1).split(".")[0]) >= 22;
}
