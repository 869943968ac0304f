// Inspect: what a stored value shows without a key.
import { codecs, inspect, inspectKeyset, Key, Keyring, ResealError, toBinary, toText } from "../reseal/browser.mjs"; // prettier-ignore
import { fromBase64, hexOf } from "../lib/bytes.mjs";
import { byId, choiceOf, copyButton, count, facts, h, message, plural, problem, shortId, table, typed } from "../lib/dom.mjs"; // prettier-ignore
import { fernetLayout, rs1Layout, saltedLayout } from "../lib/layouts.mjs";
import { rangesView } from "../lib/ranges.mjs";
import { FORMS, KEY_TEXT, reading } from "../lib/reading.mjs";
import { CERTAINTY_WORDS, CODEC_WORDS, MODE_WORDS } from "../lib/words.mjs";

/** @import { CodecKind, KeysetInspection, RecognizedKind } from "../reseal/browser.mjs" */
/** @import { Child } from "../lib/dom.mjs" */

const EXAMPLE_CONTEXT = { table: "users", column: "email", row: 42 };
const TERM = /^rx1\.([a-z2-7]{8})\.([a-z2-7]+)$/;
const field = typed(byId("inspect-value"), HTMLTextAreaElement);
const form = typed(byId("inspect-form"), HTMLSelectElement);
const result = byId("inspect-result");

export function startInspect() {
  field.addEventListener("input", show);
  form.addEventListener("change", show);
  byId("inspect-example").addEventListener("click", () => {
    const key = Key.generate();
    const ring = new Keyring({ primary: key });
    form.value = "auto";
    field.value = ring.seal("ann@example.com", EXAMPLE_CONTEXT);
    ring.dispose();
    key.dispose();
    show();
  });
}

function show() {
  const pasted = field.value;
  if (KEY_TEXT.test(pasted)) {
    field.value = "";
    return result.replaceChildren(aKey());
  }
  if (pasted.trim() === "") return result.replaceChildren();
  try {
    result.replaceChildren(...parts(pasted));
  } catch (error) {
    result.replaceChildren(problem(error));
  }
}

/** @param {string} pasted */
function parts(pasted) {
  const wanted = choiceOf(form, FORMS);
  const read = reading(pasted, wanted);
  if (read === undefined) {
    const title = `This is no ${FORMS[wanted]}`;
    return [message("bad", title, "Choose another form, or paste the whole value.")];
  }
  const { stored, as } = read;
  const term = typeof stored === "string" ? TERM.exec(stored) : null;
  if (term !== null) return [aTerm(term)];
  const keyset = typeof stored === "string" ? asKeyset(stored) : undefined;
  if (keyset !== undefined) return [aKeyset(keyset)];
  const [first, ...others] = codecs.recognize(stored);
  if (first === undefined || first.kind === "plain") return [plainText(stored, as)];
  return first.kind === "reseal" ? anEnvelope(stored, as) : foreign(stored, as, first, others);
}

function aKey() {
  return message(
    "warn",
    "That is a key, not a stored value",
    "It was taken out of the field and is not shown again. Nothing was sent. Look where else you pasted it: a chat, a ticket, the history of a shell.",
    "If anybody else may have seen it, make a new key and rotate.",
  );
}

/**
 * @param {string | Uint8Array} stored
 * @param {string} as
 */
function anEnvelope(stored, as) {
  let shown;
  try {
    shown = inspect(stored);
  } catch (error) {
    if (!(error instanceof ResealError)) throw error;
    return [card("Reseal envelope, damaged or unknown", problem(error))];
  }
  const isText = typeof stored === "string";
  const [text, bytes] = isText ? [stored, toBinary(stored)] : [toText(stored), stored];
  const { keyId, mode, version, ciphertextBytes } = shown;
  const value =
    mode === "padded"
      ? `up to ${plural(ciphertextBytes - 1, "byte")}`
      : plural(ciphertextBytes, "byte");
  const pairs = [
    ["Codec", "reseal, ", CERTAINTY_WORDS.yes],
    ["Version", String(version)],
    ["Mode", `${mode}: ${MODE_WORDS[mode]}`],
    ["Key id", h("code", { class: "id" }, keyId)],
    ["Read as", as],
    ["Sizes", `${plural(text.length, "character")} as text, ${count(bytes.length)} as bytes; the value has ${value}`], // prettier-ignore
    ["Not stored", "The context (table, column, row). Who opens it has to say the same one."],
  ];
  const copies = h(
    "div",
    { class: "row" },
    copyButton(() => keyId, "Copy key id"),
    copyButton(() => (isText ? Array.from(bytes, hexOf).join("") : text), isText ? "Copy as hexadecimal" : "Copy as text"), // prettier-ignore
  );
  return [
    card("Reseal envelope", facts(pairs), copies),
    card("Its bytes", rangesView(rs1Layout(bytes, shown))),
  ];
}

/**
 * @param {string | Uint8Array} stored
 * @param {string} as
 * @param {RecognizedKind} first
 * @param {readonly RecognizedKind[]} others
 */
function foreign(stored, as, first, others) {
  const { kind, certainty, scheme, key } = first;
  const rest = others.filter((other) => other.kind !== "plain");
  const pairs = [
    ["Codec", `${kind}, ${CERTAINTY_WORDS[certainty]}`],
    ["Variant", scheme],
    ["Key", key === undefined ? "the bytes do not show it" : h("code", {}, key)],
    ["Read as", as],
    ["Size", typeof stored === "string" ? plural(stored.length, "character") : plural(stored.length, "byte")], // prettier-ignore
    ...(rest.length > 0 ? [["Fits also", rest.map((other) => other.kind).join(", ")]] : []),
  ];
  const about = card(CODEC_WORDS[kind], facts(pairs));
  if (scheme === "damaged") about.append(message("warn", "It looks damaged", "It carries the mark of the format, and something is cut or changed.")); // prettier-ignore
  if (scheme === "plaintext") about.append(message("warn", "Not encrypted", "The marker says where it came from; whoever reads the column reads the value.")); // prettier-ignore
  const layout = typeof stored === "string" ? layoutOf(kind, scheme, stored) : undefined;
  return layout === undefined ? [about] : [about, card("Its bytes", rangesView(layout))];
}

/**
 * @param {CodecKind} kind
 * @param {string} scheme
 * @param {string} text
 */
function layoutOf(kind, scheme, text) {
  const bytes = fromBase64(text);
  if (bytes === undefined) return undefined;
  if (kind === "fernet") return fernetLayout(bytes);
  return kind === "n8n" && scheme === "cbc" ? saltedLayout(bytes) : undefined;
}

/**
 * @param {string | Uint8Array} stored
 * @param {string} as
 */
function plainText(stored, as) {
  const size = typeof stored === "string" ? "character" : "byte";
  return card(
    "Plain text",
    message("warn", "It is not encrypted", "No codec recognises it, so it is plain: whoever reads the column reads the value."), // prettier-ignore
    facts([
      ["Codec", "plain"],
      ["Read as", as],
      ["Size", plural(stored.length, size)],
    ]),
  );
}

/** @param {readonly string[]} found */
function aTerm([, key, tag = ""]) {
  return card(
    "Term of a blind index",
    facts([
      ["Index key", h("code", {}, key), ", the first 8 characters of its id"],
      [
        "Term",
        plural(tag.length, "character"),
        ". Equal terms are equal values; nothing opens it.",
      ],
    ]),
  );
}

/** @param {string} text */
function asKeyset(text) {
  if (!text.startsWith("{") || !text.includes('"reseal-keyset"')) return undefined;
  return inspectKeyset(text);
}

/** @param {KeysetInspection} keyset */
function aKeyset(keyset) {
  const rows = keyset
    .keys()
    .map((key) => [
      shortId(key.id),
      key.use,
      h("span", { class: `state ${key.state}` }, key.state.replace("_", " ")),
      key.label || "none",
      key.changed,
    ]);
  return card(
    "Keyset",
    facts([
      ["Ring", h("code", {}, keyset.ringId)],
      ["Generation", `${keyset.generation}, saved ${keyset.issued}`],
      ["Lease", keyset.leaseSeconds === 0 ? "none" : plural(keyset.leaseSeconds, "second")],
      [
        "Opened by",
        keyset
          .keks()
          .map(({ kind, id }) => `${kind} ${id.slice(0, 8)}…`)
          .join(", "),
      ],
    ]),
    table("Keys of the keyset", ["Id", "Use", "State", "Label", "Changed"], rows),
    h("p", { class: "note" }, "Nothing of it is verified: that takes what opens it."),
  );
}

/**
 * @param {string} title
 * @param {Child[]} children
 */
function card(title, ...children) {
  return h("div", { class: "card" }, h("h3", {}, title), ...children);
}
