// The keys of this page: held in memory, and nowhere else.

/** @import { Key, KeyUse } from "../reseal/browser.mjs" */
/** @typedef {keyof typeof ROLE_WORDS} Role */
/** @typedef {{ readonly key: Key, role: Role }} Item */

/** @type {Item[]} */
const shelf = [];
/** @type {(() => void)[]} */
const listeners = [];

/**
 * What a key may be in the ring of this page.
 *
 * @type {Readonly<Record<KeyUse, readonly [Role, ...Role[]]>>}
 */
export const ROLES = {
  data: ["primary", "decryptOnly", "introduced", "disabled", "none"],
  index: ["index", "decryptOnly", "introduced", "disabled", "none"],
  kek: ["none"],
};

export const ROLE_WORDS = {
  primary: "primary: seals and opens",
  index: "primary of indexes",
  decryptOnly: "decrypt only: opens",
  introduced: "introduced: opens, will seal",
  disabled: "disabled: neither",
  none: "not in the ring",
};

export const keys = () => shelf;

/**
 * Calls a listener now and after every change.
 *
 * @param {() => void} listener
 */
export function follow(listener) {
  listeners.push(listener);
  listener();
}

/**
 * Takes a key in; false where it is there already. The first of a use is its primary.
 *
 * @param {Key} key
 */
export function add(key) {
  if (shelf.some((item) => item.key.id === key.id)) return false;
  const [first, second] = ROLES[key.use];
  const isTaken = shelf.some((item) => item.role === first);
  shelf.push({ key, role: isTaken ? (second ?? first) : first });
  changed();
  return true;
}

/**
 * Wipes a key.
 *
 * @param {Item} item
 */
export function forget(item) {
  shelf.splice(shelf.indexOf(item), 1);
  item.key.dispose();
  changed();
}

/** Wipes every key. */
export function forgetAll() {
  for (const { key } of shelf.splice(0)) key.dispose();
  changed();
}

/**
 * Gives a key another role; who was primary before opens from then on.
 *
 * @param {Item} item
 * @param {Role} role
 */
export function setRole(item, role) {
  if (role === "primary" || role === "index") {
    for (const other of shelf) if (other.role === role) other.role = "decryptOnly";
  }
  item.role = role;
  changed();
}

/** The options of a ring of these keys. */
export function ringOptions() {
  /** @param {Role} role */
  const of = (role) => shelf.filter((item) => item.role === role).map(({ key }) => key);
  return {
    primary: of("primary")[0],
    index: of("index")[0],
    decryptOnly: of("decryptOnly"),
    introduced: of("introduced"),
    disabled: of("disabled"),
  };
}

function changed() {
  for (const listener of listeners) listener();
}
