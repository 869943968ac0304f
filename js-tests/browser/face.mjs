// The public face where there is no Node: round trips and refusals.
import { refused, Report, same, toHex } from "../vectors/report.mjs";

const VALUES = ["", "x", "hällo 🌍", "\ufeffBOM", "nul\0", "é".repeat(70_000)];
const MODES = ["random", "deterministic", "padded"];
const context = { table: "users", column: "ssn", row: 42, tenant: 7n, blob: Uint8Array.of(255) };

/** Runs every case; the module has been initialized. */
export function runFace(reseal) {
  const { Key, Keyring, Keyset, KeysetFile, ResealError } = reseal;
  const report = new Report();
  const [old, key] = [Key.generate(), Key.generate()];
  const index = Key.generate("index");
  const ring = new Keyring({ primary: key, decryptOnly: [old], index });
  const kek = Key.generate("kek");
  const keyset = Keyset.create({ kek, leaseSeconds: 60 });
  for (const mode of MODES) {
    for (const [i, value] of VALUES.entries()) {
      report.case(`round trip ${mode} ${i}`, () => roundTrip(ring, value, mode, reseal));
    }
  }
  report.case("bytes have memory of their own", () => {
    const bytes = ring.open(ring.seal("x", {}), {});
    same("memory", bytes.buffer.byteLength, 1);
  });
  report.case("a batch of 5,000", () => {
    const values = Array.from({ length: 5000 }, (_, i) => `value ${i}`);
    const rows = values.map((_, row) => ({ row }));
    const opened = ring.openManyString(ring.sealMany(values, rows), rows);
    same("values", opened.join(), values.join());
  });
  report.case("16 MiB", () => {
    const large = new Uint8Array(2 ** 24).fill(7);
    same("length", ring.open(ring.seal(large, {}), {}).length, large.length);
  });
  report.case("rotation", () => {
    const stored = new Keyring({ primary: old }).seal("x", context);
    const resealed = ring.reseal(stored, context);
    same("key", reseal.inspect(resealed).keyId, key.id);
    same("value", ring.openString(resealed, context), "x");
  });
  report.case("a blind index", () => {
    const email = { index: "email_eq", normalizer: "ascii-lower-trim" };
    same("term", ring.indexTerm(" A@b.c ", {}, email), ring.indexTerms("a@b.c", {}, email)[0]);
  });
  report.case("no nonce twice in 5,000", () => {
    const nonces = Array.from({ length: 5000 }, () => ring.sealBinary("x", {}).subarray(26, 50));
    same("nonces", new Set(nonces.map(toHex)).size, nonces.length);
  });
  report.case("a keyset", () => {
    const id = keyset.rotate("data", { label: "é" });
    keyset.addPassphrase("correct horse battery staple");
    const loaded = Keyset.load(keyset.save(), { passphrase: "correct horse battery staple" });
    same("primary", loaded.primaryId, id);
    const stored = loaded.keyring().seal("x", context);
    same("value", keyset.keyring().openString(stored, context), "x");
    same("label", reseal.inspectKeyset(keyset.save()).keys()[0].label, "é");
  });
  report.case("another row", () => {
    refused(ResealError, () => ring.open(ring.seal("x", { row: 1 }), { row: 2 }), "AuthFailed");
  });
  for (const [kind, call] of [
    ["ContextInvalid", () => ring.seal("x", { row: 1.5 })],
    ["ContextInvalid", () => ring.seal("x", { row: null })],
    ["ContextInvalid", () => ring.seal("x", { tÿpe: 1 })],
    ["InvalidText", () => ring.seal("\ud800", {})],
    ["InvalidText", () => ring.openString(ring.seal(Uint8Array.of(255), {}), {})],
    ["InvalidArgument", () => ring.seal(null, {})],
    ["TooLarge", () => ring.seal("é".repeat(2 ** 23) + "a", {})],
    ["NotEnvelope", () => ring.open("🔐".repeat(1_000_000), {})],
    ["TooLarge", () => ring.open(`rs1.${key.id}.${"A".repeat(30_000_000)}`, {})],
    ["InvalidKey", () => Key.parse(`"${key.export()}"`)],
    ["KekMismatch", () => Keyset.load(keyset.save(), { kek: Key.generate("kek") })],
    ["KeysetMalformed", () => reseal.inspectKeyset("{}")],
    ["SourceUnreadable", () => new KeysetFile("keyset.json", { kek }).load()],
    ["SourceUnreadable", () => new KeysetFile("keyset.json").create(keyset)],
    ["InvalidArgument", () => Keyring.fromEnv()],
    ["SourceMissing", () => Keyring.fromEnv({})],
    ["SourceUnreadable", () => Keyring.fromEnv({ RESEAL_KEY_DIR: "/k", RESEAL_PRIMARY: "a" })],
  ]) {
    report.case(`refusal ${kind}`, () => refused(ResealError, call, kind));
  }
  report.case("a ring shows no secret", () => {
    const shown = JSON.stringify([ring, key, String(ring), String(key)]);
    same("secret", shown.includes(key.export().slice(12, 24)), false);
  });
  report.case("a disposed ring", () => {
    const gone = new Keyring({ primary: key });
    gone.dispose();
    refused(ResealError, () => gone.seal("x", {}), "InvalidArgument");
  });
  return report;
}

function roundTrip(ring, value, mode, { toBinary, toText }) {
  const stored = ring.seal(value, context, mode);
  same("value", ring.openString(stored, context), value);
  same("bytes", toHex(ring.open(stored, context)), toHex(new TextEncoder().encode(value)));
  same("text", toText(toBinary(stored)), stored);
  const binary = ring.sealBinary(new TextEncoder().encode(value), context, mode);
  same("binary", new TextDecoder("utf-8", { ignoreBOM: true }).decode(ring.openBinary(binary, context)), value); // prettier-ignore
}
