// The packed package in Next.js: a route in Node, a route in the edge runtime, a page in Chromium.
// `run-next.mjs CONSUMER`.
import { execFileSync, spawn } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { check, expectGood, finish } from "./checks.mjs";
import { withPages } from "./pages.mjs";
import { HERE, project } from "./project.mjs";

const [, , consumer] = process.argv;
if (consumer === undefined) throw new Error("usage: run-next.mjs CONSUMER");
const LIMIT_MS = 60_000;
const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", NO_COLOR: "1" };

const folder = project("next", { consumer });
// Links that lead out of a project are not followed: the packages are hard links.
rmSync(join(folder, "node_modules"), { recursive: true });
execFileSync("cp", ["-al", join(HERE, "next/node_modules"), folder]);
cpSync(join(consumer, "node_modules/reseal"), join(folder, "node_modules/reseal"), {
  recursive: true,
});
for (const name of ["app", "next.config.mjs"]) {
  cpSync(join(HERE, "next", name), join(folder, name), { recursive: true });
}

await check("Next.js builds", () => {
  const words = [join(folder, "node_modules/next/dist/bin/next"), "build"];
  execFileSync(process.execPath, words, { cwd: folder, env, encoding: "utf8", stdio: "pipe" });
});
await withServer(async (url) => {
  for (const route of ["node", "edge"]) {
    await check(`Next.js, a route in ${route}`, async () => {
      expectGood(await (await fetch(`${url}/${route}`)).text());
    });
  }
  await check("Next.js, a page", () =>
    withPages(async (titleOf) => expectGood(await titleOf(new URL(url)))),
  );
});
finish();

async function withServer(body) {
  const port = await freePort();
  const words = [join(folder, "node_modules/next/dist/bin/next"), "start", "-H", "127.0.0.1", "-p", `${port}`]; // prettier-ignore
  const server = spawn(process.execPath, words, { cwd: folder, env, stdio: "ignore" });
  try {
    const url = `http://127.0.0.1:${port}`;
    await answering(url);
    await body(url);
  } finally {
    server.kill();
  }
}

async function answering(url) {
  for (const end = Date.now() + LIMIT_MS; Date.now() < end;) {
    if (await fetch(url).then(() => true, () => false)) return; // prettier-ignore
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function freePort() {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
