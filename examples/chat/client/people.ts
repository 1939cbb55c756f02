/** Who is online: a list next to the conversation, or behind a button on narrow screens. */
import { disc, find, make } from "./dom.ts";
import type { Person } from "../messages.ts";

const panel = find("people", HTMLElement);
const list = find("people-list", HTMLUListElement);
const toggle = find("people-toggle", HTMLButtonElement);

toggle.addEventListener("click", () => setOpen(!panel.classList.contains("open")));
document.addEventListener("click", ({ target }) => {
  if (target instanceof Node && !panel.contains(target) && !toggle.contains(target)) setOpen(false);
});
document.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape" || !panel.classList.contains("open")) return;
  setOpen(false);
  toggle.focus();
});

/** Shows who is in the room; undefined if unknown, because there is no connection. */
export function showPeople(people: readonly Person[] | undefined, me: string): void {
  for (const id of ["people-count", "people-toggle-count"])
    find(id, HTMLElement).textContent = people === undefined ? "–" : String(people.length);
  if (people === undefined) return list.replaceChildren(make("li", { class: "unknown" }, "Shown once you are connected."));
  const sorted = people.toSorted((a, b) => Number(b.id === me) - Number(a.id === me) || a.name.localeCompare(b.name));
  list.replaceChildren(
    ...sorted.map(({ id, name }) =>
      make("li", {}, disc(name), make("bdi", { class: "name" }, name), ...(id === me ? [make("span", { class: "you" }, "you")] : [])),
    ),
  );
}

function setOpen(open: boolean): void {
  panel.classList.toggle("open", open);
  toggle.setAttribute("aria-expanded", String(open));
}
