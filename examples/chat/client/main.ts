/** The page: shows the lobby or a room, and switches between them. */
import * as composer from "./composer.ts";
import { find, say } from "./dom.ts";
import * as lobby from "./lobby.ts";
import * as log from "./log.ts";
import { myKey, myName, random, setMyName } from "./me.ts";
import { hideNothing, showNothing } from "./nothing.ts";
import { showPeople } from "./people.ts";
import { enterRoom } from "./room.ts";
import type { ChatRoom } from "./room.ts";
import { hideStatus, onRetry, showNode, showStatus } from "./status.ts";
import { onShare } from "./share.ts";
import { clockTime } from "./times.ts";
import * as title from "./title.ts";
import * as typing from "./typing.ts";
import { problemWith } from "../messages.ts";

const lobbyPage = find("lobby", HTMLElement);
const roomPage = find("chat", HTMLElement);

let inside: ChatRoom | undefined;
let ending = "";
let who = { name: "", room: "" };

lobby.onJoin(enter);
onRetry(() => inside?.retry());
onShare(() => location.href);
find("leave", HTMLButtonElement).addEventListener("click", () => leave());
find("change", HTMLButtonElement).addEventListener("click", () => leave(ending));

function enter(name: string, room: string): void {
  who = { name, room };
  setMyName(name);
  sessionStorage.setItem("room", room);
  history.replaceState(null, "", `?room=${encodeURIComponent(room)}`);
  find("room-name", HTMLElement).textContent = room;
  show(roomPage);
  title.enter(room);
  connect();
  composer.openComposer(room, { send: (content) => send(random(), content), onWriting: () => typing.writes(() => inside?.typing()) });
}

function leave(problem = ""): void {
  inside?.leave();
  inside = undefined;
  sessionStorage.removeItem("room");
  composer.closeComposer();
  log.clear();
  hideNothing();
  hideStatus();
  typing.stopTyping();
  title.enter("");
  show(lobbyPage);
  lobby.openLobby(who, problem);
}

function show(page: HTMLElement): void {
  for (const each of [lobbyPage, roomPage]) each.hidden = each !== page;
}

function connect(): void {
  let lostAt: number | undefined;
  inside = enterRoom(who.room, who.name, myKey(), {
    onStatus(status) {
      showStatus(status, who.room);
      log.setOnline(status.state === "online");
      if (status.state === "closed") ending = status.reason;
      if (status.state === "waiting") lostAt ??= Date.now();
      if (status.state !== "online") return;
      composer.setProblem("");
      if (status.again && lostAt !== undefined) {
        log.addNote(`You are back. Here is what was said since ${clockTime(lostAt)}, without pictures.`);
      }
      lostAt = undefined;
    },
    onPeople(people, me) {
      showPeople(people, me);
      if (people === undefined) typing.stopTyping();
      else showNothing(people.filter(({ id }) => id !== me));
    },
    onJoin: ({ name }) => log.addNote("joined", "note", name),
    onLeave({ id, name }) {
      typing.stopTyping(id);
      log.addNote("left", "note", name);
    },
    onTyping: typing.showTyping,
    onLine(line, mine) {
      if (!log.addLine(line, mine) || mine) return;
      typing.stopTyping(line.from.id);
      if (!line.old) title.count();
    },
    onShown: log.confirm,
    onNode: showNode,
    onFailed(line, what, why) {
      log.setFailed(line, what, why);
      say(`Your message: ${what} ${why}`);
    },
    onGap: () => log.addNote("Some messages before this are no longer kept."),
    onAnnouncement: (text) => log.addNote(text, "announcement"),
  });
}

/** Sends a message, and shows it as on its way. Returns false if the server has ended the connection. */
function send(line: string, content: string | Blob): boolean {
  if (inside?.send(line, content) !== true) return false;
  typing.written();
  log.addPending(line, content, () => {
    if (!send(line, content)) composer.setProblem("You are not connected. Enter the room again.");
  });
  return true;
}

// A page with an open connection can't enter the browser's back-forward cache.
addEventListener("pagehide", () => inside?.leave());
addEventListener("pageshow", ({ persisted }) => persisted && inside !== undefined && connect());

const room = new URLSearchParams(location.search).get("room");
const before = sessionStorage.getItem("room");
if (before !== null && (room === null || room === before) && problemWith(myName(), before) === undefined) enter(myName(), before);
else {
  show(lobbyPage);
  lobby.openLobby({ name: myName(), room: room ?? before ?? "lobby" });
}
