/** The tab's title: the room, and the number of unread messages. */
let room = "";
let unseen = 0;

export function enter(name: string): void {
  room = name;
  unseen = 0;
  show();
}

export function count(): void {
  if (document.visibilityState === "visible") return;
  unseen++;
  show();
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") enter(room);
});

function show(): void {
  document.title = `${unseen > 0 ? `(${unseen}) ` : ""}${room === "" ? "" : `${room} – `}Edgewire chat`;
}
