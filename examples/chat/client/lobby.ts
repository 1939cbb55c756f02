/** The first page: a name and a room. */
import { find } from "./dom.ts";
import { limits, problemWith, tidy } from "../messages.ts";

const form = find("join", HTMLFormElement);
const name = find("name", HTMLInputElement);
const room = find("room", HTMLInputElement);
const problem = find("join-problem", HTMLElement);

name.maxLength = limits.name;
room.maxLength = limits.room;

export function openLobby(start: { name: string; room: string }, message = ""): void {
  name.value = start.name;
  room.value = start.room;
  show(message, message === "" ? undefined : name);
  (name.value === "" || message !== "" ? name : room).focus();
}

export function onJoin(listener: (name: string, room: string) => void): void {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const chosen = { name: tidy(name.value), room: tidy(room.value) };
    const wrong = problemWith(chosen.name, "room") === undefined ? room : name;
    const message = problemWith(chosen.name, chosen.room);
    show(message ?? "", message === undefined ? undefined : wrong);
    if (message === undefined) listener(chosen.name, chosen.room);
    else wrong.focus();
  });
}

function show(message: string, wrong: HTMLInputElement | undefined): void {
  problem.textContent = message;
  for (const field of [name, room]) field.setAttribute("aria-invalid", String(field === wrong));
}
