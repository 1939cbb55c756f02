/** The list of pages: a narrow window shows it by a button. */
import { find } from "./dom.ts";

export function pagesMenu(): void {
  const button = document.querySelector<HTMLButtonElement>(".menu-button");
  if (button === null) return;
  const menu = find(".menu");
  const open = (isOpen: boolean): void => {
    button.setAttribute("aria-expanded", String(isOpen));
    document.body.classList.toggle("menu-open", isOpen);
  };
  button.addEventListener("click", () => open(button.getAttribute("aria-expanded") === "false"));
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape" || button.getAttribute("aria-expanded") === "false") return;
    open(false);
    button.focus();
  });
  showCurrent(menu);
}

/** The page's own line is in sight, without moving the page. */
function showCurrent(menu: HTMLElement): void {
  const current = menu.querySelector<HTMLElement>("[aria-current]");
  if (current !== null) menu.scrollTop = current.offsetTop - menu.clientHeight / 2;
}
