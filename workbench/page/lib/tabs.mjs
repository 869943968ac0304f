// The panels as tabs: one is shown, the address names it, the arrow keys walk.
import { byId } from "./dom.mjs";

/**
 * Shows the panel of the address, and follows the address and the keys from then on.
 *
 * @param {HTMLElement} list
 */
export function startTabs(list) {
  const tabs = [...list.querySelectorAll("button")];
  /** @param {HTMLElement} tab */
  const nameOf = (tab) => tab.getAttribute("aria-controls") ?? "";
  /** @param {HTMLElement} tab */
  const select = (tab) => {
    for (const other of tabs) {
      const isShown = other === tab;
      other.setAttribute("aria-selected", String(isShown));
      other.tabIndex = isShown ? 0 : -1;
      byId(nameOf(other)).hidden = !isShown;
    }
    document.title = `${tab.textContent} · Reseal workbench`;
  };
  /** @param {HTMLElement} tab */
  const choose = (tab) => {
    select(tab);
    tab.focus();
    // The name of the panel, and never anything that was typed.
    history.replaceState(null, "", `#${nameOf(tab)}`);
  };
  const followAddress = () => {
    const tab = tabs.find((one) => `#${nameOf(one)}` === location.hash) ?? tabs[0];
    if (tab !== undefined) select(tab);
  };
  for (const tab of tabs) tab.addEventListener("click", () => choose(tab));
  list.addEventListener("keydown", (event) => {
    const tab = target(event.key, tabs);
    if (tab === undefined) return;
    event.preventDefault();
    choose(tab);
  });
  addEventListener("hashchange", followAddress);
  followAddress();
}

/**
 * Shows another panel, as a click on its tab would.
 *
 * @param {string} name
 */
export function goTo(name) {
  byId(`tab-${name}`).click();
}

/**
 * The tab that a key leads to.
 *
 * @param {string} key
 * @param {readonly HTMLElement[]} tabs
 */
function target(key, tabs) {
  const from = tabs.findIndex((tab) => tab === document.activeElement);
  if (from < 0) return undefined;
  if (key === "ArrowRight") return tabs[(from + 1) % tabs.length];
  if (key === "ArrowLeft") return tabs.at(from - 1);
  if (key === "Home") return tabs[0];
  return key === "End" ? tabs.at(-1) : undefined;
}
