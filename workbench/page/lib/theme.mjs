// The theme: that of the system, or the one that the button chose. It is not remembered.
const THEMES = ["system", "light", "dark"];

export function startTheme(button) {
  let at = 0;
  button.addEventListener("click", () => {
    at = (at + 1) % THEMES.length;
    const theme = THEMES[at];
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.setAttribute("aria-label", `Theme: ${theme}`);
    button.querySelector(".word").textContent = theme;
  });
}
