// The theme: that of the system, or the one that the button chose. It is not remembered.
import { typed } from "./dom.mjs";

/** @typedef {"system" | "light" | "dark"} Theme */

/**
 * What comes after each.
 *
 * @type {Readonly<Record<Theme, Theme>>}
 */
const NEXT = { system: "light", light: "dark", dark: "system" };

/** @param {HTMLElement} button */
export function startTheme(button) {
  const word = typed(button.querySelector(".word"), HTMLElement);
  /** @type {Theme} */
  let theme = "system";
  button.addEventListener("click", () => {
    theme = NEXT[theme];
    if (theme === "system") document.documentElement.removeAttribute("data-theme");
    else document.documentElement.setAttribute("data-theme", theme);
    button.setAttribute("aria-label", `Theme: ${theme}`);
    word.textContent = theme;
  });
}
