// A tiny project in a folder of its own: the files of app/, and the packed package.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"; // prettier-ignore
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const HERE = fileURLToPath(new URL(".", import.meta.url));
export const ROOT = join(HERE, "../..");

/** Makes the project, with `entry` in place of `reseal`, and gives its folder. */
export function project(name, { consumer, entry = "reseal" }) {
  const folder = join(ROOT, "target/consumers", name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  symlinkSync(join(consumer, "node_modules/reseal"), join(folder, "node_modules/reseal"));
  for (const file of readdirSync(join(HERE, "app"))) {
    const text = readFileSync(join(HERE, "app", file), "utf8");
    writeFileSync(join(folder, file), text.replaceAll('from "reseal"', `from "${entry}"`));
  }
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  writeFileSync(join(folder, "frozen.mjs"), `export default ${JSON.stringify(frozen())};\n`);
  return folder;
}

/** Copies what a bundler does not. */
export function copyInto(folder, files) {
  mkdirSync(folder, { recursive: true });
  for (const [name, from] of Object.entries(files)) copyFileSync(from, join(folder, name));
}

/** What 0.1.0 has sealed in Node, under keys that still open. */
export function frozen() {
  const file = join(ROOT, "spec/vectors/frozen/0.1.0-node.json");
  const { keys, envelopes } = JSON.parse(readFileSync(file, "utf8"));
  const texts = (state) =>
    Object.values(keys).flatMap((key) => (key.state === state ? [key.text] : []));
  const opening = envelopes.filter(({ key, text }) => text !== undefined && keys[key].state !== "disabled"); // prettier-ignore
  return {
    keys: { primary: texts("primary")[0], decryptOnly: texts("decrypt_only") },
    envelopes: opening.map(({ text, context, plaintext }) => ({
      stored: text,
      context,
      plaintext,
    })),
  };
}
