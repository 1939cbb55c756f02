/** One room as the page sees it: who is in it, what arrives, and what became of each message that was sent. */
import { openLink } from "./link.ts";
import type { Status } from "./link.ts";
import type { FromClient, FromServer, Person } from "../messages.ts";

/** How a sent message fares. The server answers in order, so the oldest one waiting is the one it answers. */
export interface Receipt {
  sent(): void;
  /** `what` is known of it, in a few words, and why. */
  failed(what: string, why: string): void;
}

export interface RoomEvents {
  onStatus(status: Status): void;
  /** In, or in again; how many others are. */
  onWelcome(others: number): void;
  /** Undefined: not known, because there is no connection. */
  onPeople(people: readonly Person[] | undefined, me: string): void;
  onJoin(who: Person): void;
  onLeave(who: Person): void;
  onText(from: Person, text: string): void;
  onImage(from: Person, image: Blob): void;
  onAnnouncement(text: string): void;
}

export interface ChatRoom {
  /** Sends text or an image. False: offline, and nothing was sent. */
  send(content: string | Blob, receipt: Receipt): boolean;
  retry(): void;
  leave(): void;
}

/** A message without an answer for this long went to a connection that is dead. */
const answerTimeout = 10_000;

export function enterRoom(room: string, name: string, events: RoomEvents): ChatRoom {
  const query = `${encodeURIComponent(room)}?name=${encodeURIComponent(name)}`;
  const people = new Map<string, Person>();
  const waiting: { receipt: Receipt; since: number }[] = [];
  let me = "";
  let picture: { from: Person; media: string } | undefined;

  const link = openLink({
    url: `${location.origin.replace(/^http/, "ws")}/ws/${query}`,
    refusal: async () => {
      const response = await fetch(`/check/${query}`);
      return response.status >= 400 && response.status < 500 ? await response.text() : undefined;
    },
    onStatus(status) {
      if (status.state !== "online") forget();
      events.onStatus(status);
    },
    onMessage(data) {
      if (typeof data === "string") receive(JSON.parse(data) as FromServer);
      else if (picture !== undefined) events.onImage(picture.from, new Blob([data], { type: picture.media }));
    },
  });

  const watch = setInterval(() => {
    const oldest = waiting[0];
    if (oldest !== undefined && link.buffered === 0 && Date.now() - oldest.since > answerTimeout) link.drop();
  }, 1_000);

  /** What the server had not answered when the connection ended may or may not have arrived. */
  function forget(): void {
    for (const { receipt } of waiting.splice(0)) receipt.failed("Not confirmed.", "The connection was lost before the server answered.");
    people.clear();
    picture = undefined;
    events.onPeople(undefined, me);
  }

  function receive(message: FromServer): void {
    switch (message.type) {
      case "welcome":
        me = message.you;
        for (const person of message.people) people.set(person.id, person);
        events.onPeople([...people.values()], me);
        return events.onWelcome(people.size - 1);
      case "join":
        if (people.has(message.who.id)) return;
        people.set(message.who.id, message.who);
        events.onPeople([...people.values()], me);
        return events.onJoin(message.who);
      case "leave":
        if (!people.delete(message.who.id)) return;
        events.onPeople([...people.values()], me);
        return events.onLeave(message.who);
      case "message":
        return events.onText(message.from, message.text);
      case "image":
        picture = message;
        return;
      case "announcement":
        return events.onAnnouncement(message.text);
      case "sent":
        return waiting.shift()?.receipt.sent();
      case "refused":
        return waiting.shift()?.receipt.failed("Not sent.", message.reason);
    }
  }

  return {
    send(content, receipt) {
      const data = typeof content === "string" ? JSON.stringify({ type: "message", text: content } satisfies FromClient) : content;
      if (!link.send(data)) return false;
      waiting.push({ receipt, since: Date.now() });
      return true;
    },
    retry: link.retry,
    leave() {
      clearInterval(watch);
      link.close();
    },
  };
}
