// Rotation: the steps of a fleet, with the keyset and what processes meet that lag behind.
import { inspect } from "../reseal/browser.mjs";
import { byId, h, problem, shortId, table, typed } from "../lib/dom.mjs";
import { Fleet, STEPS } from "../lib/fleet.mjs";

/** @import { ErrorCode } from "../reseal/browser.mjs" */
/** @import { Step } from "../lib/fleet.mjs" */

/** @type {Readonly<Record<Step, readonly [title: string, text: string]>>} */
const WORDS = {
  before: [
    "Before",
    "One key seals and opens. A new key that sealed now would be unknown to every process that has not looked at the keyset again.",
  ],
  introduce: [
    "Introduce",
    "Every process learns the new key, which opens and does not seal yet. Then a lease passes: a process that did not see the keyset in that time has stopped sealing.",
  ],
  promote: [
    "Promote",
    "The lease has passed. The new key seals, the old one only opens. Who lags by one version knows the new key already. Who never heard of it is refused: that is why it is introduced first.",
  ],
  reseal: [
    "Reseal",
    "A job walks through the rows and brings each to the new key; what is current stays as it is. Nothing pauses. In a fleet this is reseal apply.",
  ],
  retire: [
    "Retire",
    "No row needs the old key: it is disabled. That can be taken back until the key is destroyed. A process two versions behind would still seal under it, and nobody opens that; its lease has stopped it long ago.",
  ],
};
const PROCESSES = ["follows", "one version behind", "two versions behind"];

export function startRotation() {
  let fleet = new Fleet();
  byId("rotation-next").addEventListener("click", () => {
    fleet.next();
    show(fleet);
  });
  byId("rotation-again").addEventListener("click", () => {
    fleet.dispose();
    fleet = new Fleet();
    show(fleet);
  });
  byId("rotation-early").addEventListener("click", () => {
    try {
      fleet.promote();
    } catch (error) {
      byId("rotation-message").replaceChildren(problem(error));
    }
  });
  show(fleet);
}

/** @param {Fleet} fleet */
function show(fleet) {
  const { at, step } = fleet;
  const [title, text] = WORDS[step];
  byId("rotation-steps").replaceChildren(...STEPS.map((name, place) => stepItem(name, place - at)));
  byId("rotation-title").textContent = `${at + 1} of ${STEPS.length}: ${title}`;
  byId("rotation-text").textContent = text;
  byId("rotation-message").replaceChildren();
  const next = typed(byId("rotation-next"), HTMLButtonElement);
  const following = STEPS[at + 1];
  next.disabled = following === undefined;
  next.textContent =
    following === undefined ? "Done" : `Next: ${WORDS[following][0].toLowerCase()}`;
  byId("rotation-early").hidden = step !== "introduce";
  byId("rotation-state").replaceChildren(keysCard(fleet), rowsCard(fleet));
  byId("rotation-fleet").replaceChildren(fleetCard(fleet));
  // A button that is disabled loses the focus.
  if (next.disabled && document.activeElement === document.body) byId("rotation-again").focus();
}

/**
 * @param {Step} name
 * @param {number} ahead
 */
function stepItem(name, ahead) {
  const state = ahead < 0 ? "past" : ahead === 0 ? "now" : "ahead";
  return h("li", { class: state, "aria-current": state === "now" && "step" }, WORDS[name][0]);
}

/** @param {Fleet} fleet */
function keysCard(fleet) {
  const rows = fleet
    .keys()
    .map((key) => [
      key.label,
      shortId(key.id),
      h("span", { class: `state ${key.state}` }, key.state.replace("_", " ")),
      key.changed.slice(11, 16),
    ]);
  return h("div", { class: "card" }, table("Keyset", ["Label", "Key id", "State", "Since"], rows));
}

/** @param {Fleet} fleet */
function rowsCard(fleet) {
  const labels = new Map(fleet.keys().map(({ id, label }) => [id, label]));
  const rows = fleet.rows.map(({ row, value, stored }) => {
    const isCurrent = fleet.isCurrent(stored);
    const badge = h("span", { class: `state ${isCurrent ? "primary" : "decrypt_only"}` }, isCurrent ? "current" : "not current"); // prettier-ignore
    return [String(row), value, labels.get(inspect(stored).keyId), badge];
  });
  return h("div", { class: "card" }, table("Rows", ["Row", "Value", "Under key", "State"], rows));
}

/** @param {Fleet} fleet */
function fleetCard(fleet) {
  const rows = PROCESSES.map((name, behind) => {
    if (behind >= fleet.versions) return [name, "not yet", "not yet", "not yet"];
    const { rows, reads, isRead } = fleet.process(behind);
    return [name, ...[rows, reads, isRead].map(cell)];
  });
  const heads = ["Process", "Opens the rows", "Opens what a follower seals", "What it seals, a follower opens"]; // prettier-ignore
  return h("div", { class: "card" }, table("What a process meets at this step", heads, rows));
}

/** @param {ErrorCode | undefined} code */
function cell(code) {
  if (code === undefined) return h("span", { class: "yes" }, "yes");
  return h("span", { class: "no" }, "no: ", h("code", {}, code));
}
