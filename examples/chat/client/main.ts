/** The page: shows the lobby or a room, and switches between them. */
import * as composer from "./composer.ts";
import { find, say } from "./dom.ts";
import * as lobby from "./lobby.ts";
import * as log from "./log.ts";
import { showPeople } from "./people.ts";
import { enterRoom } from "./room.ts";
import type { ChatRoom } from "./room.ts";
import { hideStatus, onRetry, showStatus } from "./status.ts";
import { onShare } from "./share.ts";
import * as title from "./title.ts";

const lobbyPage = find("lobby", HTMLElement);
const roomPage = find("chat", HTMLElement);

let inside: ChatRoom | undefined;
let refusal = "";
let who = { name: "", room: "" };

lobby.onJoin(enter);
onRetry(() => inside?.retry());
onShare(() => location.href);
find("leave", HTMLButtonElement).addEventListener("click", () => leave());
find("change", HTMLButtonElement).addEventListener("click", () => leave(refusal));

function enter(name: string, room: string): void {
  who = { name, room };
  localStorage.setItem("name", name);
  sessionStorage.setItem("room", room);
  history.replaceState(null, "", `?room=${encodeURIComponent(room)}`);
  find("room-name", HTMLElement).textContent = room;
  show(roomPage);
  title.enter(room);
  connect();
  composer.openComposer(room, send);
}

function leave(problem = ""): void {
  inside?.leave();
  inside = undefined;
  sessionStorage.removeItem("room");
  composer.closeComposer();
  log.clear();
  hideStatus();
  title.enter("");
  show(lobbyPage);
  lobby.openLobby(who, problem);
}

function show(page: HTMLElement): void {
  for (const each of [lobbyPage, roomPage]) each.hidden = each !== page;
}

function connect(): void {
  let lostAt: Date | undefined;
  let greeted = false;
  inside = enterRoom(who.room, who.name, {
    onStatus(status) {
      showStatus(status, who.room);
      if (status.state === "refused") refusal = status.reason;
      if (status.state === "waiting") lostAt ??= new Date();
      if (status.state !== "online") return;
      composer.setProblem("");
      if (status.again) log.addNote(missed(lostAt));
      lostAt = undefined;
    },
    onWelcome(others) {
      if (others === 0 && !greeted) log.addNote("You are the first one here. Share the link to bring others in.");
      greeted = true;
    },
    onPeople: showPeople,
    onJoin: ({ name }) => log.addNote("joined", "note", name),
    onLeave: ({ name }) => log.addNote("left", "note", name),
    onText(from, text, at) {
      log.addTheirs(from, text, at);
      title.count();
    },
    onImage(from, image) {
      log.addTheirs(from, image);
      title.count();
    },
    onAnnouncement: (text) => log.addNote(text, "announcement"),
  });
}

/** Sends a message, and shows it with its status. Returns false if there is no connection. */
function send(content: string | Blob): boolean {
  const receipt = { sent: () => {}, failed: (_what: string, _why: string) => {} };
  const accepted = inside?.send(content, {
    sent: () => receipt.sent(),
    failed(what, why) {
      receipt.failed(what, why);
      say(`Your message: ${what} ${why}`);
    },
  });
  if (accepted !== true) return false;
  Object.assign(
    receipt,
    log.addMine(who.name, content, () => again(content)),
  );
  return true;
}

function again(content: string | Blob): boolean {
  const accepted = send(content);
  if (!accepted) composer.setProblem("You are not connected. Try again when you are.");
  return accepted;
}

function missed(since: Date | undefined): string {
  const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit", second: "2-digit" });
  return since === undefined ? "You are back." : `You are back. Here is what others wrote since ${clock.format(since)}, without pictures.`;
}

// A page with an open connection can't enter the browser's back-forward cache.
addEventListener("pagehide", () => inside?.leave());
addEventListener("pageshow", ({ persisted }) => persisted && inside !== undefined && connect());

const room = new URLSearchParams(location.search).get("room");
const name = localStorage.getItem("name") ?? "";
const before = sessionStorage.getItem("room");
if (name !== "" && before !== null && (room === null || room === before)) enter(name, before);
else {
  show(lobbyPage);
  lobby.openLobby({ name, room: room ?? "lobby" });
}
