// The panels as tabs: one is shown, the address names it, the arrow keys walk.

/** Shows the panel of the address, and follows the address and the keys from then on. */
export function startTabs(list) {
  const tabs = [...list.querySelectorAll("[role=tab]")];
  const nameOf = (tab) => tab.getAttribute("aria-controls");
  const select = (tab) => {
    for (const other of tabs) {
      const isShown = other === tab;
      other.setAttribute("aria-selected", String(isShown));
      other.tabIndex = isShown ? 0 : -1;
      document.getElementById(nameOf(other)).hidden = !isShown;
    }
    document.title = `${tab.textContent} · Reseal workbench`;
  };
  const choose = (tab) => {
    select(tab);
    tab.focus();
    // The name of the panel, and never anything that was typed.
    history.replaceState(null, "", `#${nameOf(tab)}`);
  };
  const followAddress = () => {
    select(tabs.find((tab) => `#${nameOf(tab)}` === location.hash) ?? tabs[0]);
  };
  for (const tab of tabs) tab.addEventListener("click", () => choose(tab));
  list.addEventListener("keydown", (event) => {
    const to = target(event.key, tabs.indexOf(document.activeElement), tabs.length);
    if (to === undefined) return;
    event.preventDefault();
    choose(tabs[to]);
  });
  addEventListener("hashchange", followAddress);
  followAddress();
}

/** Shows another panel, as a click on its tab would. */
export function goTo(name) {
  document.getElementById(`tab-${name}`).click();
}

function target(key, from, length) {
  if (from < 0) return undefined;
  if (key === "ArrowRight") return (from + 1) % length;
  if (key === "ArrowLeft") return (from + length - 1) % length;
  if (key === "Home") return 0;
  return key === "End" ? length - 1 : undefined;
}
