/** The page's model of a room: people, received messages, the connection's status, and the status of each sent message. */
import { ReconnectingWebSocket } from "edgewire/client";
import { messageClient } from "edgewire/messages";
import type { MessageError } from "edgewire/messages";
import { messages } from "../messages.ts";
import type { Person } from "../messages.ts";

export type Status =
  | { readonly state: "connecting"; readonly again: boolean }
  | { readonly state: "online"; readonly again: boolean }
  | { readonly state: "waiting"; readonly until: number }
  | { readonly state: "refused"; readonly reason: string };

/** The status of a sent message. */
export interface Receipt {
  sent(): void;
  /** Not sent, or not confirmed: `what` happened, in a few words, and why. */
  failed(what: string, why: string): void;
}

export interface RoomEvents {
  onStatus(status: Status): void;
  /** Joined or rejoined; the number of other people. */
  onWelcome(others: number): void;
  /** Undefined if unknown, because there is no connection. */
  onPeople(people: readonly Person[] | undefined, me: string): void;
  onJoin(who: Person): void;
  onLeave(who: Person): void;
  /** `at` is in milliseconds since 1970. */
  onText(from: Person, text: string, at: number): void;
  onImage(from: Person, image: Blob): void;
  onAnnouncement(text: string): void;
}

export interface ChatRoom {
  /** Sends text or an image. Returns false if offline; nothing was sent. */
  send(content: string | Blob, receipt: Receipt): boolean;
  retry(): void;
  leave(): void;
}

/** Milliseconds to wait for an answer: a picture must be uploaded first. */
const pictureDeadline = 60_000;

export function enterRoom(room: string, name: string, events: RoomEvents): ChatRoom {
  const query = `${encodeURIComponent(room)}?name=${encodeURIComponent(name)}`;
  const address = `${location.origin.replace(/^http/, "ws")}/ws/${query}`;
  /** Where the page is in what was said: its next connection goes on after it. */
  let position: string | undefined;
  const socket = new ReconnectingWebSocket(() => (position === undefined ? address : `${address}&after=${position}`), messages.protocols);
  const client = messageClient(messages, socket);
  const people = new Map<string, Person>();
  let me = "";
  let again = false;
  let online = false;
  let left = false;

  const showPeople = (): void => events.onPeople([...people.values()], me);

  socket.addEventListener("status", () => {
    if (left) return;
    if (socket.status === "open") {
      online = true;
      events.onStatus({ state: "online", again });
      again = true;
      return;
    }
    people.clear();
    events.onPeople(undefined, me);
    if (socket.status === "connecting") events.onStatus({ state: "connecting", again });
    if (socket.status !== "waiting") return;
    events.onStatus({ state: "waiting", until: socket.retryAt ?? Date.now() });
    again = true;
    // A lost connection needs no explanation, but a failed attempt may have been refused.
    if (!online) void askWhy();
    online = false;
  });
  socket.addEventListener("close", ({ code }) => end(`The server ended the connection (${code}).`));
  events.onStatus({ state: "connecting", again });

  async function askWhy(): Promise<void> {
    const response = await fetch(`/check/${query}`).catch(() => undefined);
    if (response !== undefined && response.status >= 400 && response.status < 500) end(await response.text());
  }

  function end(reason: string): void {
    if (left) return;
    leave();
    events.onStatus({ state: "refused", reason });
  }

  function leave(): void {
    left = true;
    socket.close(1000);
  }

  client.on("welcome", ({ you, people: present }) => {
    me = you;
    for (const person of present) people.set(person.id, person);
    showPeople();
    events.onWelcome(people.size - 1);
  });
  client.on("joined", ({ who }) => {
    if (people.has(who.id)) return;
    people.set(who.id, who);
    showPeople();
    events.onJoin(who);
  });
  client.on("left", ({ who }) => {
    if (!people.delete(who.id)) return;
    showPeople();
    events.onLeave(who);
  });
  client.on("said", (said) => {
    ({ position } = said);
    events.onText(said.from, said.text, said.at);
  });
  client.on("showed", ({ from, media, data }) => events.onImage(from, fromBase64(data, media)));
  client.on("announced", ({ text }) => events.onAnnouncement(text));

  async function deliver(content: string | Blob, receipt: Receipt): Promise<void> {
    try {
      if (typeof content === "string") ({ position } = await client.request("say", { text: content }));
      else await client.request("show", { data: await toBase64(content) }, { deadline: pictureDeadline });
      receipt.sent();
    } catch (error) {
      const { code, message } = error as MessageError;
      // The message may have arrived; only the server's answer did not.
      if (code === "closed") receipt.failed("Not confirmed.", "The connection was lost before the server answered.");
      else if (code === "deadline") receipt.failed("Not confirmed.", "The server did not answer in time.");
      else receipt.failed("Not sent.", message);
    }
  }

  return {
    send(content, receipt) {
      if (socket.readyState !== WebSocket.OPEN) return false;
      void deliver(content, receipt);
      return true;
    },
    retry: () => socket.retry(),
    leave,
  };
}

function toBase64(blob: Blob): Promise<string> {
  const reader = new FileReader();
  return new Promise((resolve, reject) => {
    reader.onload = () => resolve(String(reader.result).replace(/^.*,/, ""));
    reader.onerror = () => reject(new Error("This picture can't be read."));
    reader.readAsDataURL(blob);
  });
}

function fromBase64(data: string, type: string): Blob {
  return new Blob([Uint8Array.from(atob(data), (character) => character.charCodeAt(0))], { type });
}
