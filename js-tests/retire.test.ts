// May a key, or a codec, go? The call of programs, on SQLite; all databases are in py-tests.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "libsql";
import { afterEach, expect, test } from "vitest";
import { Key, Keyset, ResealError } from "reseal";
import { apply, census, retire, type JobEvent } from "reseal/jobs";
import { MANIFEST, Project } from "./jobs-support.js";

const projects: Project[] = [];
afterEach(() => projects.splice(0).forEach((project) => project.remove()));

const kek = Key.generate("kek");

/** A project whose values are under the first key of a keyset, and a second one that seals. */
async function rotated(
  leaseSeconds = 0,
): Promise<{ project: Project; first: string; ring: string }> {
  const project = new Project(20);
  projects.push(project);
  const ring = join(project.folder, "ring.json");
  const keyset = Keyset.create({ kek, leaseSeconds });
  const first = keyset.rotate("data", { label: "first" });
  writeFileSync(ring, keyset.save());
  writeFileSync(join(project.folder, "kek"), kek.export(), { mode: 0o600 });
  const source = `keyring = "keyset:${ring}"\nkek = "file:${join(project.folder, "kek")}"`;
  writeFileSync(project.manifest, MANIFEST.replace('keyring = "env"', source));
  await apply(project.url, { manifest: project.manifest });
  keyset.rotate("data", { label: "second", early: true });
  writeFileSync(ring, keyset.save());
  return { project, first, ring };
}

function stateOf(ring: string, id: string): string | undefined {
  const keys = Keyset.load(readFileSync(ring, "utf8"), { kek }).keys();
  return keys.find((key) => key.id === id)?.state;
}

test("a key stays while values are under it, and is disabled then", async () => {
  const { project, first, ring } = await rotated();
  const { manifest, url } = project;
  const before = readFileSync(ring, "utf8");
  const refused = await retire(first.slice(0, 6), url, { manifest });
  expect(refused).toMatchObject({
    work: "retire",
    end: "in-use",
    kind: "key",
    target: first,
    left: [{ table: "users", column: "ssn", values: 20 }],
    next: ["reseal apply"],
  });
  expect(readFileSync(ring, "utf8")).toBe(before);
  await apply(url, { manifest });
  const done = await retire(first, url, { manifest });
  expect(done).toMatchObject({ end: "complete", action: "disabled", state: "disabled", left: [] });
  expect(done.plain_unused).toMatchObject([{ table: "users", column: "ssn" }]);
  expect(stateOf(ring, first)).toBe("disabled");
});

test("a key under which somebody writes meanwhile is enabled again", async () => {
  const { project, first, ring } = await rotated();
  const { manifest, url } = project;
  const database = new Sqlite(url.replace("sqlite:///", ""));
  const late = database.prepare("SELECT ssn FROM users WHERE id = 1").get() as { ssn: string };
  await apply(url, { manifest });
  const told: string[] = [];
  const onEvent = ({ event }: JobEvent): void => {
    told.push(event);
    if (event !== "disabled") return;
    database.prepare("UPDATE users SET ssn = ? WHERE id = 2").run(late.ssn);
  };
  const report = await retire(first, url, { manifest, onEvent });
  database.close();
  expect(report).toMatchObject({ end: "in-use", action: "enabled-again" });
  expect(told.filter((event) => event.endsWith("abled"))).toEqual(["disabled", "enabled"]);
  expect(stateOf(ring, first)).toBe("decrypt_only");
});

test.each(["disabled", "began"] as const)(
  "a key does not stay disabled without its second count where onEvent throws: %s",
  async (at) => {
    const { project, first, ring } = await rotated();
    const { manifest, url } = project;
    const database = new Sqlite(url.replace("sqlite:///", ""));
    const late = database.prepare("SELECT ssn FROM users WHERE id = 1").get() as { ssn: string };
    await apply(url, { manifest });
    const told = new Set<string>();
    const onEvent = ({ event }: JobEvent): void => {
      told.add(event);
      if (event === "disabled") {
        database.prepare("UPDATE users SET ssn = ? WHERE id = 2").run(late.ssn);
      }
      if (event === at && told.has("disabled")) throw new Error("mine");
    };
    await expect(retire(first, url, { manifest, onEvent })).rejects.toThrow("mine");
    database.close();
    expect(stateOf(ring, first)).toBe("decrypt_only");
  },
);

test("it waits for the lease, and can be stopped meanwhile", async () => {
  const { project, first, ring } = await rotated(3600);
  const { manifest, url } = project;
  await apply(url, { manifest });
  const before = readFileSync(ring, "utf8");
  const stop = new AbortController();
  const onEvent = ({ event }: JobEvent): void => {
    if (event === "waiting") stop.abort();
  };
  const report = await retire(first, url, { manifest, onEvent, stop: stop.signal });
  expect(report.end).toBe("stopped");
  expect(readFileSync(ring, "utf8")).toBe(before);
  expect((await retire(first, url, { manifest, early: true })).action).toBe("disabled");
});

test("a codec goes once every value opens without it", async () => {
  const { project } = await rotated();
  const { manifest, url } = project;
  expect((await retire("plain", url, { manifest })).end).toBe("complete");
  await expect(retire("app", url, { manifest })).rejects.toMatchObject({ code: "still-in-use" });
  const { columns } = await census(url, { manifest });
  expect(columns[0]!.terms).toBeUndefined();
});

test.each([
  ["no target", undefined, {}, "target is text"],
  ["a word that names nothing", "correct-horse", {}, "there is no codec of this name"],
  ["an option of another job", "app", { columns: ["users.ssn"] }, "columns"],
  ["a flag that is none", "app", { early: 1 }, "early"],
])("%s is refused", async (_, target, options, why) => {
  const { project } = await rotated();
  const { manifest, url } = project;
  const call = retire(target as string, url, { manifest, ...options } as object);
  const error: unknown = await call.catch((error: unknown) => error);
  expect(error).toBeInstanceOf(ResealError);
  expect((error as ResealError).code).toBe("invalid-argument");
  expect((error as ResealError).message).toContain(why);
  expect((error as ResealError).message).not.toContain("correct-horse");
});
