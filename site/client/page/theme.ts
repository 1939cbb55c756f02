/** Light or dark: the system's, until the button says otherwise. */
import { find } from "./dom.ts";

const system = matchMedia("(prefers-color-scheme: dark)");

export function themeButton(): void {
  const button = find<HTMLButtonElement>(".theme-button");
  const show = (): void => button.setAttribute("aria-pressed", String(isDark()));
  button.hidden = false;
  button.addEventListener("click", () => {
    choose(isDark() ? "light" : "dark");
    show();
  });
  system.addEventListener("change", show);
  show();
}

function isDark(): boolean {
  const { theme } = document.documentElement.dataset;
  return theme === undefined ? system.matches : theme === "dark";
}

function choose(theme: "light" | "dark"): void {
  document.documentElement.dataset["theme"] = theme;
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // A browser that stores nothing keeps it for this page.
  }
}
