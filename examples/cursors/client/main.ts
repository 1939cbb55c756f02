/** The page: shows everyone's cursor, and sends one's own. Places are parts of the area's width and height. */
import { ReconnectingWebSocket } from "edgewire/client";
import { messageClient } from "edgewire/messages";
import { messages } from "../messages.ts";
import { find, make } from "./dom.ts";
import { watchPointer } from "./pointer.ts";
import type { Place } from "./pointer.ts";

const area = find("area", HTMLElement);
const list = find("people", HTMLUListElement);
const count = find("count", HTMLElement);
const status = find("status", HTMLElement);
const nameField = find("name", HTMLInputElement);

const room = new URLSearchParams(location.search).get("room") ?? "lobby";
const socket = new ReconnectingWebSocket(
  `${location.origin.replace(/^http/, "ws")}/ws?room=${encodeURIComponent(room)}`,
  messages.protocols,
);
const client = messageClient(messages, socket);
const people = client.presence("people");
const cursors = new Map<string, HTMLElement>();
let me = "";
/** Where the user's own cursor is; undefined before it was in the area. */
let here: Place | undefined;

nameField.value = localStorage.getItem("name") ?? `Guest ${Math.floor(Math.random() * 900) + 100}`;
nameField.addEventListener("change", tellName);
socket.addEventListener("open", () => {
  tellName();
  tellPlace();
});
socket.addEventListener("status", () => {
  status.dataset["state"] = socket.status;
  status.textContent = socket.status === "open" ? "Online" : navigator.onLine ? "Connecting" : "Offline";
});
watchPointer(area, (place) => {
  here = place;
  tellPlace();
  show(me, place);
});

client.on("welcome", ({ you }) => {
  remove(me);
  me = you;
  if (here !== undefined) show(me, here);
});
client.on("moved", ({ who, x, y }) => show(who, { x, y }));
// Who comes gets everyone's place.
people.on("join", ({ id }) => id !== me && tellPlace());
people.on("leave", ({ id }) => remove(id));
people.on("change", showPeople);

function tellName(): void {
  const name = nameField.value.trim();
  if (name === "" || socket.readyState !== WebSocket.OPEN) return;
  localStorage.setItem("name", name);
  client.send("named", { name });
}

function tellPlace(): void {
  // What can't be sent now is old when it could.
  if (here !== undefined && socket.readyState === WebSocket.OPEN) client.send("moved", here);
}

function show(who: string, { x, y }: Place): void {
  const member = people.members.get(who);
  if (member === undefined) return;
  let cursor = cursors.get(who);
  if (cursor === undefined) {
    cursor = make(
      "div",
      { class: who === me ? "cursor me" : "cursor", "data-colour": String(colour(who)) },
      make("bdi", { class: "label" }),
    );
    cursors.set(who, cursor);
    area.append(cursor);
  }
  // The name stays within the area.
  cursor.classList.toggle("right", x > 0.7);
  cursor.classList.toggle("low", y > 0.85);
  cursor.style.left = `${x * 100}%`;
  cursor.style.top = `${y * 100}%`;
  cursor.querySelector(".label")?.replaceChildren(who === me ? "You" : member.state.name);
}

function remove(who: string): void {
  cursors.get(who)?.remove();
  cursors.delete(who);
}

function showPeople(): void {
  const sorted = Array.from(people).toSorted(
    (a, b) => Number(b.id === me) - Number(a.id === me) || a.state.name.localeCompare(b.state.name),
  );
  count.textContent = people.current ? String(sorted.length) : "–";
  list.replaceChildren(
    ...sorted.map(({ id, state }) =>
      make("li", { "data-colour": String(colour(id)) }, make("bdi", {}, state.name), ...(id === me ? [" (you)"] : [])),
    ),
  );
  for (const { id, state } of sorted) if (id !== me) cursors.get(id)?.querySelector(".label")?.replaceChildren(state.name);
}

/** One of eight, by the id. */
function colour(id: string): number {
  let hash = 0;
  for (const letter of id) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x9e3779b1);
  return hash >>> 29;
}
