/** The page's model of a room: the connection's status, who is here and what they write, and what became of each line of one's own. */
import { DeliverySocket } from "edgewire/delivery/client";
import { messageClient } from "edgewire/messages";
import type { MessageError } from "edgewire/messages";
import { messages } from "../messages.ts";
import type { Person } from "../messages.ts";

export type Status =
  | { readonly state: "connecting"; readonly again: boolean }
  | { readonly state: "online"; readonly again: boolean }
  | { readonly state: "waiting"; readonly until: number }
  | { readonly state: "closed"; readonly reason: string };

/** A text or a picture that someone sent. */
export interface Line {
  readonly line: string;
  readonly from: Person;
  readonly content: string | Blob;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** It was said before the user came. */
  readonly old: boolean;
}

export interface RoomEvents {
  onStatus(status: Status): void;
  /** Undefined if unknown, because there is no connection. */
  onPeople(people: readonly Person[] | undefined, me: string): void;
  onJoin(who: Person): void;
  onLeave(who: Person): void;
  onTyping(who: Person): void;
  /** Everyone gets the lines in this order, their authors too. */
  onLine(line: Line, mine: boolean): void;
  /** A picture of the user's own took its place. */
  onShown(line: string): void;
  /** A line was not sent, or not confirmed: what happened, in a few words, and why. */
  onFailed(line: string, what: string, why: string): void;
  onAnnouncement(text: string): void;
  /** The server is one of several nodes, and this is its name. */
  onNode(name: string): void;
  /** Lines are missing before those that follow: the server does not have them any more. */
  onGap(): void;
}

export interface ChatRoom {
  /** Sends text or an image as the line of this name: without a connection, with the next one. Returns false if there will be none. */
  send(line: string, content: string | Blob): boolean;
  typing(): void;
  retry(): void;
  leave(): void;
}

/** Milliseconds for which a line waits for a connection: for as long as the page is open. */
const patience = 2 ** 31 - 1;
/** Bytes that may wait to be sent: pictures are large. */
const keepBytes = 32 * 1024 * 1024;

export function enterRoom(room: string, name: string, key: string, events: RoomEvents): ChatRoom {
  const query = `name=${encodeURIComponent(name)}&key=${encodeURIComponent(key)}`;
  const address = `${location.origin.replace(/^http/, "ws")}/ws/${encodeURIComponent(room)}?${query}`;
  const socket = new DeliverySocket(address, messages.protocols, { keepBytes });
  const client = messageClient(messages, socket);
  const people = client.presence("people");
  let me = "";
  let again = false;
  let ready = false;
  let left = false;
  /** The server has several nodes. */
  let isCluster = false;

  socket.addEventListener("status", () => {
    if (left) return;
    if (socket.status === "open") {
      events.onStatus({ state: "online", again });
      if (again) client.send("who");
      if (isCluster) client.send("where");
      again = true;
      return;
    }
    if (socket.status === "connecting") events.onStatus({ state: "connecting", again });
    if (socket.status !== "waiting") return;
    events.onStatus({ state: "waiting", until: socket.retryAt ?? Date.now() });
    again = true;
  });
  socket.addEventListener("close", ({ code, reason }) => {
    if (left) return;
    leave();
    events.onStatus({ state: "closed", reason: reason === "" ? `Its code was ${code}.` : `${reason} (${code})` });
  });
  events.onStatus({ state: "connecting", again });

  function leave(): void {
    left = true;
    socket.close(1000);
  }

  client.on("welcome", ({ you, node }) => {
    me = you.id;
    isCluster = node !== undefined;
    if (node !== undefined) events.onNode(node);
  });
  client.on("here", ({ node }) => events.onNode(node));
  people.on("join", (member) => ready && member.id !== me && events.onJoin(personOf(member)));
  people.on("leave", (member) => events.onLeave(personOf(member)));
  people.on("change", () => {
    // The first list comes after what was said before.
    ready ||= people.current;
    events.onPeople(people.current ? Array.from(people, personOf) : undefined, me);
  });
  client.on("typing", ({ who }) => who.id !== me && events.onTyping(who));
  client.on("said", ({ line, from, text }, position) => {
    events.onLine({ line, from, content: text, at: position?.time ?? Date.now(), old: !ready }, from.id === me);
  });
  client.onGap(() => events.onGap());
  client.on("showed", ({ line, from, media, data }) => {
    events.onLine({ line, from, content: fromBase64(data, media), at: Date.now(), old: false }, from.id === me);
  });
  client.on("shown", ({ line }) => events.onShown(line));
  client.on("announced", ({ text }) => events.onAnnouncement(text));

  async function deliver(line: string, content: string | Blob): Promise<void> {
    try {
      if (typeof content === "string") await client.request("say", { line, text: content }, { deadline: patience });
      else await client.request("show", { line, data: await toBase64(content) }, { deadline: patience });
    } catch (error) {
      const { code, message } = error as MessageError;
      // The server has forgotten us, and nobody knows whether it has the line. It has a name, so it is shown once.
      if (code === "interrupted") return deliver(line, content);
      if (code === "closed") events.onFailed(line, "Not confirmed.", "The server ended the connection before it answered.");
      else events.onFailed(line, "Not sent.", message);
    }
  }

  return {
    send(line, content) {
      if (socket.readyState > WebSocket.OPEN) return false;
      void deliver(line, content);
      return true;
    },
    typing() {
      // Old by the time that there is a connection.
      if (socket.status === "open") client.send("typing");
    },
    retry: () => socket.retry(),
    leave,
  };
}

function personOf({ id, state }: { readonly id: string; readonly state: { readonly name: string } }): Person {
  return { id, name: state.name };
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
