// The runner of the vectors: it runs what the files hold, and it fails when it should.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const SPEC = fileURLToPath(new URL("../spec/vectors", import.meta.url));
const RUN = fileURLToPath(new URL("./vectors/run.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "reseal-vectors-"));
afterAll(() => rmSync(folder, { recursive: true }));

const LIBRARIES = ["django-cryptography", "django-fernet", "fernet-fields", "sqlalchemy-utils"];
const SYSTEMS = [...LIBRARIES, "fernet", "freeboard", "metabase", "n8n", "rails", "sentry"];

const files = readdirSync(SPEC, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".json") && !name.startsWith("schema"))
  .sort();

interface Wycheproof {
  testGroups: { keySize: number; ivSize?: number; tagSize?: number; tests: unknown[] }[];
}

/** The cases of a file, counted as spec/vectors/README.md says. */
function casesOf(file: string): number {
  const all = JSON.parse(readFileSync(join(SPEC, file), "utf8")) as Record<string, never[]>;
  const lengths = (...names: string[]) =>
    names.reduce((sum, name) => sum + (all[name] ?? []).length, 0);
  if (file.startsWith("reseal")) {
    const texts = all["key_text"] as unknown as { valid?: []; invalid?: [] };
    const keyTexts = (texts.valid ?? []).length + (texts.invalid ?? []).length;
    const keyset = all["keyset"] as unknown as { negative: []; hedged: [] } | undefined;
    // The document of a keyset opens under three keys.
    const keysets = keyset === undefined ? 0 : 3 + keyset.negative.length + keyset.hedged.length;
    return keyTexts + lengths("vectors", "negative", "hedged", "blind_index") + keysets;
  }
  if (all["system"] !== undefined) return lengths("vectors");
  if (file.startsWith("values") || file.startsWith("manifest")) return lengths("cases");
  if (file.startsWith("frozen")) return lengths("envelopes", "index_terms");
  const long = process.env["RESEAL_ASSURE"] !== undefined;
  if (file.startsWith("xaes")) return lengths("vectors") + (long ? 2 : 1);
  return (all as unknown as Wycheproof).testGroups
    .filter(({ ivSize, tagSize }) => ivSize === undefined || (ivSize === 96 && tagSize === 128))
    .filter(({ keySize, ivSize }) => ivSize === undefined || keySize === 256)
    .filter(
      ({ tagSize }) => tagSize === undefined || tagSize === (file.includes("hmac") ? 256 : 128),
    )
    .reduce((sum, { tests }) => sum + tests.length, 0);
}

describe("all files", () => {
  let lines: string[] = [];
  beforeAll(() => {
    const paths = files.map((file) => join(SPEC, file));
    lines = execFileSync(process.execPath, [RUN, ...paths], { encoding: "utf8" }).split("\n");
  }, 1_800_000);

  test.each(files)("%s: as many cases pass as the file holds", (file) => {
    const cases = casesOf(file);
    expect(cases).toBeGreaterThan(0);
    const [line, ...more] = lines.filter((one) => one.startsWith(`node ${join(SPEC, file)} `));
    expect(line).toContain(` run=${cases} passed=${cases} failed=0`);
    expect(more).toEqual([]);
  });
});

test("there are files of every shape", () => {
  const folders = new Set(files.map((file) => file.split("/")[0]));
  const own = ["frozen", "manifest", "reseal", "values", "wycheproof", "xaes"];
  expect(folders).toEqual(new Set([...own, ...SYSTEMS]));
});

test("the law of the format runs as a whole", () => {
  const { stdout } = run(join(SPEC, "reseal/v1.json"));
  expect(stdout).toMatch(/ run=214 passed=214 failed=0$/m);
});

type Case = Record<string, string>;
interface ManifestCase {
  toml: string;
  valid?: { columns: Record<string, unknown>[]; warnings: string[] };
  invalid?: Case;
}
type Document = Record<string, Record<string, string>[]> & {
  keys: Record<string, { secret: string }>;
  keyset: {
    file: { keys: { label: string }[] };
    negative: { kek: string; expect: string }[];
    hedged: { random: string }[];
  };
};

test.each<[string, (file: Document) => unknown]>([
  ["a plaintext", (file) => (file["vectors"]![3]!["plaintext"] = "00")],
  ["a text", (file) => (file["vectors"]![3]!["text"] += "A")],
  ["a nonce", (file) => (file["vectors"]![3]!["nonce"] = "00".repeat(24))],
  ["an aad", (file) => (file["vectors"]![3]!["aad"] += "00")],
  ["an expected error", (file) => (file["negative"]![0]!["expect"] = "Malformed")],
  [
    "a refusal of what opens",
    (file) => (file["negative"]![0]!["binary"] = file["vectors"]![0]!["binary"]!),
  ],
  ["a hedged nonce", (file) => (file["hedged"]![0]!["nonce"] = "00".repeat(24))],
  ["a term", (file) => (file["blind_index"]![0]!["raw"] = "00")],
  ["a key", (file) => (file.keys["A"]!.secret = "00".repeat(32))],
  ["a refusal of a keyset", (file) => (file.keyset.negative[0]!.expect = "KekMismatch")],
  ["a hedged wrap", (file) => (file.keyset.hedged[0]!.random = "00".repeat(24))],
  ["a key of a refusal", (file) => (file.keyset.negative[1]!.kek = "other")],
  ["an unknown member of a case", (file) => (file["vectors"]![0]!["tweak"] = "00")],
  ["an unknown group", (file) => Object.assign(file, { more: [] })],
  ["an unknown shape", (file) => Object.assign(file, { format: "RS9 vectors" })],
])("a file with a changed case fails: %s", (_, change) => {
  const file = JSON.parse(readFileSync(join(SPEC, "reseal/v1.json"), "utf8")) as Document;
  change(file);
  const path = join(folder, "changed.json");
  writeFileSync(path, JSON.stringify(file));
  const { status, stdout } = run(path);
  expect(status).toBe(1);
  expect(stdout).toMatch(/ failed=1/);
});

test.each<[string, string, (one: never) => unknown]>([
  ["fernet", "spec-generate", (one: Case) => (one["plaintext"] = "other")],
  ["fernet", "spec-invalid-0", (one: Case) => (one["expect"] = "ok")],
  ["sentry", "unknown-key-id", (one: Case) => (one["strict_class"] = "bad_format")],
  ["sentry", "text-ascii", (one: Case) => (one["plaintext"] = "other")],
  ["rails", "rails-pub-03", (one: { plaintext: Case }) => (one.plaintext["value"] = "other")],
  ["metabase", "metabase-pub-14", (one: { settings: Case }) => (one.settings["aad"] = "setting.x")],
  ["n8n", "cbc-ascii", (one: Case) => (one["plaintext"] = "other")],
  ["n8n", "gcm-tampered-tag", (one: Case) => (one["expect"] = "ok")],
  ["django-fernet", "ascii", (one: Case) => (one["plaintext"] = "other")],
  ["fernet-fields", "prefix", (one: Case) => (one["prefix"] = "another")],
  ["django-cryptography", "date", (one: Case) => (one["code"] = "malformed")],
  ["sqlalchemy-utils", "aes-pkcs5-ascii", (one: Case) => (one["padding"] = "zeroes")],
  ["freeboard", "freeboard-pub-01", (one: { ciphertext: Case }) => (one.ciphertext["iv"] = "AAAA")],
])("a changed case of %s fails: %s", (system, id, change) => {
  const file = JSON.parse(readFileSync(join(SPEC, system, "public.json"), "utf8")) as {
    vectors: { id: string }[];
  };
  // To derive the keys of all of them takes seconds.
  const at = file.vectors.findIndex((one) => one.id === id);
  file.vectors = file.vectors.slice(Math.max(at - 1, 0), at + 2);
  change(file.vectors.find((one) => one.id === id) as never);
  const path = join(folder, "system.json");
  writeFileSync(path, JSON.stringify(file));
  const { status, stdout } = run(path);
  expect(status).toBe(1);
  const passed = file.vectors.length - 1;
  expect(stdout).toMatch(new RegExp(` passed=${passed} failed=1\\n +${id}: `));
});

test.each(["canonical", "expect"])("a changed value fails: %s", (member) => {
  const file = JSON.parse(readFileSync(join(SPEC, "values/v1.json"), "utf8")) as { cases: Case[] };
  file.cases.find((one) => one["type"] === "decimal" && member in one)![member] = "other";
  const path = join(folder, "values.json");
  writeFileSync(path, JSON.stringify(file));
  expect(run(path).stdout).toMatch(/ failed=1$/m);
});

test.each<[string, (one: ManifestCase) => unknown]>([
  ["valid", ({ valid }) => (valid!.columns[0]!["row_id"] = ["other"])],
  ["valid", ({ valid }) => valid!.warnings.push("another one")],
  ["invalid", ({ invalid }) => (invalid!["message"] += " ")],
  ["invalid", ({ invalid }) => (invalid!["code"] = "unsupported-mode")],
  ["invalid", (one) => (one.toml = "version = 1")],
])("a changed manifest fails: %s", (member, change) => {
  const text = readFileSync(join(SPEC, "manifest/v1.json"), "utf8");
  const file = JSON.parse(text) as { cases: ManifestCase[] };
  change(file.cases.find((one) => member in one)!);
  const path = join(folder, "manifest.json");
  writeFileSync(path, JSON.stringify(file));
  expect(run(path).stdout).toMatch(/ failed=1$/m);
});

test("no file, and a file that is none, fail", () => {
  expect(run(join(folder, "missing.json")).status).toBe(1);
  writeFileSync(join(folder, "broken.json"), "{");
  expect(run(join(folder, "broken.json")).status).toBe(1);
});

function run(file: string): { status: number | null; stdout: string } {
  const { status, stdout } = spawnSync(process.execPath, [RUN, file], { encoding: "utf8" });
  return { status, stdout };
}
