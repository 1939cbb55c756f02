/** Blocks of code: a button that copies, and keys that scroll what is too wide. */
import { find } from "./dom.ts";

/** Milliseconds for which the button says what it did. */
const said = 2000;

export function copyButtons(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", () => void copy(button));
  }
}

async function copy(button: HTMLButtonElement): Promise<void> {
  const text = find("pre", button.closest("figure") ?? document).textContent ?? "";
  button.textContent = await navigator.clipboard.writeText(text).then(
    () => "Copied",
    () => "Not allowed",
  );
  setTimeout(() => (button.textContent = "Copy"), said);
}

/** What scrolls must be reachable by keyboard; what does not would only be in the way. */
export function focusableScrollers(): void {
  const watched = new ResizeObserver((entries) => entries.forEach(({ target }) => focusable(target)));
  const scrollers = document.querySelectorAll("figure.code pre, .scroll");
  scrollers.forEach(focusable);
  for (const element of scrollers) watched.observe(element);
}

function focusable(element: Element): void {
  if (element.scrollWidth > element.clientWidth) element.setAttribute("tabindex", "0");
  else element.removeAttribute("tabindex");
}
