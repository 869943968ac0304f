// Values: sealed, opened and resealed under a ring of the keys of this page.
import { Key, Keyring, ResealError } from "../reseal/browser.mjs";
import { fromHex } from "../lib/bytes.mjs";
import { byId, choiceOf, copy, h, message, problem, shortId, typed } from "../lib/dom.mjs";
import { add, follow, keys, ringOptions, ROLE_WORDS, ROLES, setRole } from "../lib/shelf.mjs";
import { goTo } from "../lib/tabs.mjs";

/** @import { Context } from "../reseal/browser.mjs" */
/** @import { Item } from "../lib/shelf.mjs" */

const NOTES = {
  random: "A fresh nonce each time. The length of the value shows.",
  deterministic:
    "Equal values are equal envelopes, for UNIQUE and equality search; everybody sees which are equal.",
  padded: "As random, and the length shows only as a bucket.",
};
/** @type {readonly [name: string, value: string][]} */
const START = [
  ["table", "users"],
  ["column", "email"],
  ["row", "42"],
];
const plain = typed(byId("values-plain"), HTMLTextAreaElement);
const stored = typed(byId("values-stored"), HTMLTextAreaElement);
const mode = typed(byId("values-mode"), HTMLSelectElement);

export function startValues() {
  plain.value = "ann@example.com";
  for (const [name, value] of START) addPair(name, value);
  byId("values-pair").addEventListener("click", () =>
    addPair("", "").querySelector("input")?.focus(),
  );
  const note = () => (byId("values-mode-note").textContent = NOTES[choiceOf(mode, NOTES)]);
  mode.addEventListener("change", note);
  note();
  on("values-seal", (ring, context) => {
    stored.value = ring.seal(plain.value, context, choiceOf(mode, NOTES));
    return message("good", "Sealed", under(ring));
  });
  on("values-open", (ring, context) => {
    plain.value = ring.openString(stored.value.trim(), context);
    return message("good", "Opened", "The value is authentic, and belongs to this context.");
  });
  on("values-reseal", (ring, context) => {
    const before = stored.value.trim();
    stored.value = ring.reseal(before, context, choiceOf(mode, NOTES));
    return stored.value === before
      ? message(
          "good",
          "Current already",
          "It is under the primary key, in this mode. Nothing changed.",
        )
      : message("good", "Resealed", under(ring));
  });
  const copying = byId("values-copy");
  copying.addEventListener("click", () => copy(copying, stored.value, "Copy"));
  byId("values-inspect").addEventListener("click", () => {
    const field = typed(byId("inspect-value"), HTMLTextAreaElement);
    field.value = stored.value;
    field.dispatchEvent(new Event("input"));
    goTo("inspect");
  });
  follow(showRing);
}

/** @param {Keyring} ring */
const under = ({ primaryId = "" }) => `Under the primary key ${primaryId.slice(0, 8)}…`;

/**
 * Runs a task with the ring and the context as they stand in the page.
 *
 * @param {string} id
 * @param {(ring: Keyring, context: Context) => HTMLElement} task
 */
function on(id, task) {
  byId(id).addEventListener("click", () => {
    const place = byId("values-message");
    let ring;
    try {
      ring = new Keyring(ringOptions());
      place.replaceChildren(task(ring, context()));
    } catch (error) {
      place.replaceChildren(problem(error));
    } finally {
      ring?.dispose();
    }
  });
}

function showRing() {
  const place = byId("values-ring");
  const items = keys().filter(({ key }) => key.use !== "kek");
  if (items.length === 0) {
    const make = h("button", { type: "button", class: "main" }, "Make a data key");
    make.addEventListener("click", () => {
      add(Key.generate());
      place.querySelector("select")?.focus();
    });
    place.replaceChildren(h("p", { class: "note" }, "No keys yet: nothing seals and nothing opens."), make); // prettier-ignore
    return;
  }
  const more = h("button", { type: "button", class: "quiet" }, "Add a data key");
  more.addEventListener("click", () => {
    add(Key.generate());
    [...place.querySelectorAll("select")].at(-1)?.focus();
  });
  place.replaceChildren(...items.map(member), more);
}

/** @param {Item} item */
function member(item) {
  const { key, role } = item;
  const label = `Role of the ${key.use} key ${key.id.slice(0, 8)}`;
  const select = h("select", { "aria-label": label, id: `role-${key.id}` });
  for (const name of ROLES[key.use]) {
    select.append(h("option", { value: name, selected: name === role }, ROLE_WORDS[name]));
  }
  select.addEventListener("change", () => {
    setRole(item, choiceOf(select, ROLE_WORDS));
    byId(select.id).focus();
  });
  return h("div", { class: "member" }, h("span", { class: `badge ${key.use}` }, key.use), shortId(key.id), select); // prettier-ignore
}

/**
 * @param {string} name
 * @param {string} value
 */
function addPair(name, value) {
  const place = byId("values-context");
  const pair = h(
    "div",
    { class: "pair", role: "group", "aria-label": "Pair of the context" },
    h("input", { class: "name code", "aria-label": "Name", value: name, spellcheck: "false", autocomplete: "off" }), // prettier-ignore
    h("select", { "aria-label": "Type" }, h("option", { value: "text" }, "text"), h("option", { value: "bytes" }, "hex")), // prettier-ignore
    h("input", { class: "value code", "aria-label": "Value", value, spellcheck: "false", autocomplete: "off" }), // prettier-ignore
    h("button", { type: "button", class: "quiet", "aria-label": "Remove this pair" }, "✕"),
  );
  typed(pair.querySelector("button"), HTMLButtonElement).addEventListener("click", () => {
    pair.remove();
    byId("values-pair").focus();
  });
  place.append(pair);
  return pair;
}

/**
 * An integer and its text are the same value of a context, so text is all that is asked for.
 *
 * @returns {Context}
 */
function context() {
  /** @type {[string, string | Uint8Array][]} */
  const pairs = [...byId("values-context").children].map((pair) => {
    const [name = "", value = ""] = [...pair.querySelectorAll("input")].map((input) => input.value);
    return [name, pair.querySelector("select")?.value === "bytes" ? bytesOf(value) : value];
  });
  const names = pairs.map(([name]) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  // An object would keep the last of two: the library never saw the first.
  if (twice !== undefined) pairs.push([`${twice} twice`, ""]);
  return Object.fromEntries(pairs);
}

/** @param {string} text */
function bytesOf(text) {
  const bytes = text === "" ? new Uint8Array() : fromHex(text);
  if (bytes !== undefined) return bytes;
  throw new ResealError(
    "context-invalid",
    "the value of a pair is no hexadecimal: two digits for each byte",
  );
}
