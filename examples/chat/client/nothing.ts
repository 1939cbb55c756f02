/** What a room says in which nothing has been said. Its style hides it when there is a message. */
import { find, listNames } from "./dom.ts";
import type { Person } from "../messages.ts";

const panel = find("nothing", HTMLElement);
const hint = find("nothing-hint", HTMLElement);
const invite = find("invite", HTMLButtonElement);

/** @param others who is here besides the user. */
export function showNothing(others: readonly Person[]): void {
  panel.hidden = false;
  invite.hidden = others.length > 0;
  const names = others.map(({ name }) => name);
  if (names.length === 0) hint.textContent = "You are the only one here. Share the link, or open it in a private window to try it out.";
  else hint.replaceChildren(...listNames(names), names.length === 1 ? " is here: say hello." : " are here: say hello.");
}

export function hideNothing(): void {
  panel.hidden = true;
}
