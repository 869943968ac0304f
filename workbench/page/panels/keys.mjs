// Keys: made or taken in, shown only on request.
import { Key } from "../reseal/browser.mjs";
import { byId, choiceOf, copyButton, h, message, problem, typed } from "../lib/dom.mjs";
import { add, follow, forget, keys } from "../lib/shelf.mjs";

/** @import { Item } from "../lib/shelf.mjs" */

const USES = {
  data: "seals and opens values",
  index: "makes terms of blind indexes",
  kek: "wraps the keys of a keyset",
};
/**
 * The items of keys that are shown already: to build them anew would hide what was revealed.
 *
 * @type {Map<Item, HTMLElement>}
 */
const shown = new Map();

export function startKeys() {
  const error = byId("keys-error");
  const use = typed(byId("keys-use"), HTMLSelectElement);
  const field = typed(byId("keys-text"), HTMLInputElement);
  byId("keys-make").addEventListener("click", () => {
    error.replaceChildren();
    add(Key.generate(choiceOf(use, USES)));
  });
  byId("keys-take").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = field.value.trim();
    field.value = "";
    error.replaceChildren();
    try {
      if (!add(Key.parse(text))) error.append(message("warn", "This key is here already"));
    } catch (refused) {
      error.append(problem(refused));
    }
  });
  follow(list);
}

function list() {
  byId("keys-none").hidden = keys().length > 0;
  for (const item of shown.keys()) if (!keys().includes(item)) shown.delete(item);
  for (const item of keys()) if (!shown.has(item)) shown.set(item, card(item));
  byId("keys-list").replaceChildren(...shown.values());
}

/** @param {Item} item */
function card(item) {
  const { key } = item;
  const name = `${key.use} key ${key.id.slice(0, 8)}`;
  const secret = h("output", { class: "code secret", "aria-label": `Key text of the ${name}` });
  const show = h("button", { type: "button" });
  /** @param {boolean} isShown */
  const reveal = (isShown) => {
    secret.hidden = !isShown;
    secret.textContent = isShown ? key.export() : "";
    show.textContent = isShown ? "Hide key text" : "Show key text";
    show.setAttribute("aria-label", `${show.textContent} of the ${name}`);
    show.setAttribute("aria-expanded", String(isShown));
  };
  show.addEventListener("click", () => reveal(secret.hidden));
  reveal(false);
  return h(
    "li",
    { class: "card key" },
    h("span", { class: `badge ${key.use}` }, key.use),
    h("div", { class: "about" }, h("code", { class: "id" }, key.id), h("p", { class: "note" }, USES[key.use])), // prettier-ignore
    h(
      "div",
      { class: "row" },
      show,
      copyButton(() => key.export(), "Copy", `Copy key text of the ${name}`),
      h("button", { type: "button", class: "quiet danger", "aria-label": `Forget the ${name}`, onclick: () => dismiss(item) }, "Forget"), // prettier-ignore
    ),
    secret,
  );
}

/**
 * The focus would be lost with the button.
 *
 * @param {Item} item
 */
function dismiss(item) {
  forget(item);
  byId("keys-make").focus();
}
