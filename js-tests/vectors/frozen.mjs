// The shape "RS1 frozen": what a released version sealed opens for ever.
import {
  contextOf,
  fromHex,
  known,
  modeOf,
  refused,
  Report,
  ringOptions,
  same,
  toHex,
} from "./report.mjs";

export function runFrozen(file, { reseal }) {
  const members = ["format", "release", "language", "keys", "index_terms", "envelopes"];
  known(file, members, "the file");
  const report = new Report();
  const keys = Object.entries(file.keys).map(([name, { text, state }]) => {
    return { name, state, key: reseal.Key.parse(text) };
  });
  const ring = new reseal.Keyring(ringOptions(keys));
  for (const [i, one] of (file.index_terms ?? []).entries()) {
    report.case(`index_terms[${i}]`, () => term(one, ring));
  }
  for (const one of file.envelopes) report.case(one.id, () => envelope(one, keys, ring, reseal));
  return report;
}

function term(one, ring) {
  known(one, ["context", "index", "normalizer", "bits", "value", "text"], one.text);
  const { index, normalizer, bits } = one;
  const options = { index, normalizer, bits };
  const terms = ring.indexTerms(fromHex(one.value), contextOf(one.context), options);
  same("term", terms.includes(one.text), true);
}

function envelope(one, keys, ring, { inspect, toBinary, toText, ResealError }) {
  known(one, ["id", "mode", "key", "context", "plaintext", "text", "binary"], one.id);
  const { key, state } = keys.find(({ name }) => name === one.key);
  const text = one.text ?? toText(fromHex(one.binary));
  const binary = toBinary(text);
  if (one.binary !== undefined) same("binary", toHex(binary), one.binary);
  const shown = inspect(text);
  same("mode", shown.mode, modeOf(one.mode));
  same("key id", shown.keyId, key.id);
  const context = contextOf(one.context);
  if (state === "disabled") {
    refused(ResealError, () => ring.open(text, context), "KeyDisabled");
    return;
  }
  same("plaintext of text", toHex(ring.open(text, context)), one.plaintext);
  same("plaintext of binary", toHex(ring.openBinary(binary, context)), one.plaintext);
}
