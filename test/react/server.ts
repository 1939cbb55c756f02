/** The servers of the page: one that echoes, one that speaks messages. Rooms are the addresses' paths, so that each test has its own. */
import { defineHandler } from "edgewire";
import { MessageError, messageHandler } from "edgewire/messages";
import { messages } from "./page/messages.ts";

/** Connections of a room: now, and in all. */
export interface Count {
  now: number;
  total: number;
}

/** What happened in a room, by its name. */
export class Rooms {
  readonly log: string[] = [];
  #counts = new Map<string, Count>();

  of(name: string): Count {
    const count = this.#counts.get(name) ?? { now: 0, total: 0 };
    this.#counts.set(name, count);
    return count;
  }
}

export function echo(rooms: Rooms) {
  return defineHandler<{ protocol: string }>({
    origins: "*",
    protocols: ["one", "two"],
    upgrade: (request) => ({ room: new URL(request.url).pathname.slice(1) || "lobby" }),
    open({ room }) {
      const count = rooms.of(room.name);
      count.now++;
      count.total++;
    },
    message(connection, data) {
      if (data === "go") connection.close(1008);
      else connection.send(data);
    },
    close: ({ room }) => void rooms.of(room.name).now--,
  });
}

const people = messages.presence("people");

export function chat(rooms: Rooms) {
  return defineHandler(
    messageHandler(messages, {
      origins: "*",
      upgrade(request) {
        const { pathname, searchParams } = new URL(request.url);
        return { room: pathname.slice(1) || "lobby", state: { name: searchParams.get("name") } };
      },
      presence: people,
      open(connection) {
        const count = rooms.of(connection.room.name);
        count.now++;
        count.total++;
        connection.subscribe("chat");
        const { name } = connection.state;
        if (name !== null) connection.present(name, { typing: false });
        people.subscribe(connection);
      },
      close: ({ room }) => void rooms.of(room.name).now--,
      messages: {
        say(connection, { text }) {
          const { name } = connection.state;
          if (name !== null) connection.present(name, { typing: text === "typing" });
          messages.publish(connection.room, "chat", "said", { text });
        },
      },
      requests: {
        async echo({ room }, { text, wait }, { signal }) {
          signal.addEventListener("abort", () => rooms.log.push(`${room.name}: ${text} cancelled`));
          await new Promise((resolve) => setTimeout(resolve, wait));
          return text;
        },
        async *count({ room }, { to, wait }) {
          try {
            for (let number = 1; number <= to; number++) {
              if (number > 100) throw new MessageError("enough", "That is enough.");
              if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
              yield number;
            }
          } finally {
            rooms.log.push(`${room.name}: count ended`);
          }
        },
        refuse() {
          throw new MessageError("no-tea", "There is no tea.");
        },
      },
    }),
  );
}
