// The examples in the documentation comments of the package run as they stand there.
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as node from "reseal";
import * as browser from "reseal/browser";
import * as jobs from "reseal/jobs";
import * as sql from "reseal/sql";
import { useFolder } from "./files-support.js";
import { KEY, Project } from "./jobs-support.js";
import { read } from "./support.js";

const wasm = readFileSync(new URL("../wasm/dist/reseal.wasm", import.meta.url));
const web = { ...browser, init: () => browser.init(wasm) };
await web.init();
/** An example with files runs in a folder of its own, and in Node: browsers have none. */
const scopeOf = (name: string, code: string) => {
  if (name === "jobs.ts") return { ...node, ...jobs };
  if (name === "sql.ts") return { ...node, ...sql };
  return /\bKeysetFile\b/.test(code) ? node : web;
};
useFolder((folder) => process.chdir(folder));

// The examples of jobs have a database in their folder.
let project: Project;
beforeAll(() => {
  project = new Project(3);
  process.env["RESEAL_PRIMARY_KEY"] = KEY.export();
});
afterAll(() => {
  project.remove();
  delete process.env["RESEAL_PRIMARY_KEY"];
});

const sources = readdirSync(new URL("../wasm/ts", import.meta.url)).map((name) => {
  return [name, read(`../wasm/ts/${name}`)] as const;
});
const examples = sources.flatMap(([name, text]) => {
  const comments = text.match(/\/\*\*[^]*?\*\//g) ?? [];
  return comments.flatMap((comment) => {
    const [, example] = /@example\n([^]*?)(?: \*\/|\n \s*\* @)/.exec(comment) ?? [];
    return example === undefined ? [] : [[name, example.replaceAll(/^ *\* ?/gm, "")] as const];
  });
});

test("there are examples", () => expect(examples.length).toBeGreaterThan(20));

test.each(examples)("%s: %s", async (name, code) => {
  if (name === "jobs.ts" || name === "sql.ts") process.chdir(project.folder);
  const AsyncFunction = (async () => {}).constructor as new (
    ...text: string[]
  ) => (...values: unknown[]) => Promise<void>;
  const scope = scopeOf(name, code);
  await new AsyncFunction(...Object.keys(scope), code)(...Object.values(scope));
});
