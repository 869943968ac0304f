// Error objects.
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { DecryptError, FormatError, Key, Keyring, KeyringError, ResealError } from "reseal";
import { context, errorOf, newRing, refuses } from "./support.js";

const ring = newRing();

test("an error has a code, a message, a stable name and a stack", () => {
  const error = errorOf(() => ring.open("plain text", context));
  expect(error).toBeInstanceOf(FormatError);
  expect(error).toBeInstanceOf(ResealError);
  expect(error).toBeInstanceOf(Error);
  expect([error.code, error.name]).toEqual(["not-envelope", "FormatError"]);
  expect(error.stack).toContain("FormatError: ");
  expect(inspect(error)).toContain("code: 'not-envelope'");
  expect(JSON.stringify(error)).toBe('{"code":"not-envelope"}');
});

test("each class is named after itself, also when minified", () => {
  for (const [kind, name] of [
    [ResealError, "ResealError"],
    [DecryptError, "DecryptError"],
    [KeyringError, "KeyringError"],
    [FormatError, "FormatError"],
  ] as const) {
    expect(new kind("malformed", "m").name).toBe(name);
    expect(Object.keys(new kind("malformed", "m"))).toEqual(["code"]);
  }
});

test("opening: every code in its class", () => {
  const [disabled, destroyed] = [Key.generate(), Key.generate()];
  const index = Key.generate("index");
  const all = new Keyring({
    primary: Key.generate(),
    index,
    disabled: [disabled],
    destroyed: [destroyed.id],
  });
  const sealedBy = (key: Key) => new Keyring({ primary: key }).seal("x", context);
  const good = all.seal("x", context);
  refuses("not-envelope", () => all.open("", context));
  refuses("malformed", () => all.open(good.slice(0, 40), context));
  refuses("unsupported-version", () => all.open(good.replace("rs1.", "rs2."), context));
  refuses("unsupported-mode", () => all.open(`${good.slice(0, 37)}C${good.slice(38)}`, context));
  refuses("unknown-key", () => all.open(sealedBy(Key.generate()), context));
  refuses("key-disabled", () => all.open(sealedBy(disabled), context));
  refuses("key-destroyed", () => all.open(sealedBy(destroyed), context));
  refuses("key-wrong-use", () => all.open(good.replace(all.primaryId!, index.id), context));
  refuses("auth-failed", () => all.open(good, { ...context, row: 43 }));
  refuses("context-invalid", () => all.open(good, { Row: 1 }));
  refuses("invalid-text", () => all.openString(all.seal(Uint8Array.of(255), context), context));
  const large = "A".repeat(2 ** 24 * 2);
  refuses("too-large", () => all.open(`rs1.${all.primaryId}.${large}`, context));
});

test("sealing: every code in its class", () => {
  refuses("context-invalid", () => ring.seal("x", { Row: 1 }));
  refuses("invalid-text", () => ring.seal("\ud800", context));
  refuses("too-large", () => ring.seal(new Uint8Array(2 ** 24 + 1), context));
  refuses("too-large", () => ring.seal(new Uint8Array(2 ** 24), context, "padded"));
  refuses("no-primary", () => new Keyring({}).seal("x", context));
  refuses("no-primary", () => new Keyring({}).lookupValues("x", context));
  refuses("no-primary", () => new Keyring({}).indexTerm("x", context, { index: "i" }));
  refuses("no-primary", () => new Keyring({}).indexTerms("x", context, { index: "i" }));
  refuses("invalid-argument", () => ring.seal("x", context, "r" as "random"));
});

test("sealing: the context's error comes first, then the text's, the size's, the ring's", () => {
  const empty = new Keyring({});
  const large = "a".repeat(2 ** 24 + 1);
  refuses("context-invalid", () => empty.seal("\ud800", { Row: 1 }));
  refuses("context-invalid", () => empty.seal(large, { row: 1.5 }));
  refuses("context-invalid", () => empty.seal(large, { Row: "x" }));
  refuses("invalid-text", () => empty.seal(`${large}\ud800`, {}));
  refuses("too-large", () => empty.seal(large, {}));
  refuses("no-primary", () => empty.seal("x", {}));
});

test("opening: what the stored value shows comes before the context", () => {
  const other = newRing().seal("x", {});
  for (const bad of [{ Row: 1 }, { row: 1.5 }, undefined, null, 1, [], new Date()] as never[]) {
    refuses("not-envelope", () => ring.open("x", bad));
    refuses("malformed", () => ring.open(other.slice(0, 60), bad));
    refuses("not-envelope", () => ring.openBinary(new Uint8Array(3), bad));
    refuses("not-envelope", () => ring.reseal("x", bad));
    refuses("context-invalid", () => ring.open(other, bad));
  }
});

test("a secret failure looks the same whatever failed", () => {
  const good = ring.sealBinary("a plaintext", context, "deterministic");
  const flipped = (at: number) => good.map((byte, i) => (i === at ? byte ^ 1 : byte));
  const errors = [
    errorOf(() => ring.openBinary(good, {})),
    ...[26, 49, 50, good.length - 1].map((at) =>
      errorOf(() => ring.openBinary(flipped(at), context)),
    ),
    errorOf(() =>
      ring.openBinary(
        good.map((byte, i) => (i === 25 ? 3 : byte)),
        context,
      ),
    ),
  ];
  const shown = errors.map(({ name, code, message }) => `${name} ${code} ${message}`);
  expect(new Set(shown).size).toBe(1);
});

test("no error repeats a key text or a plaintext", () => {
  const secret = Key.generate().export();
  const quoted = errorOf(() => Key.parse(`"${secret}"`));
  const wrong = errorOf(() => new Keyring({ index: secret }));
  const plain = errorOf(() => ring.seal("top secret\ud800", context));
  for (const error of [quoted, wrong, plain]) {
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/top secret/);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(secret.slice(10));
  }
});
