/**
 * The chat: one handler for Cloudflare, Deno, Bun and Node. Its messages are defined in messages.ts.
 *
 * A room is an Edgewire room (on Cloudflare, a Durable Object). Everyone in it subscribes to two topics: "chat", which keeps the last texts for those
 * who come later, and "now", for what only those who are here see. A person is a connection. Ids identify people, so two may share a name. Who is online is not stored here but read from the room's open connections, so it remains correct
 * after the object hibernates.
 */
import { defineHandler } from "edgewire";
import type { Connection } from "edgewire";
import { MessageError, messageHandler } from "edgewire/messages";
import { limits, mediaType, messages, problemWith, tidy } from "./messages.ts";
import type { Person } from "./messages.ts";

type Chatter = Connection<{ name: string }>;

export const chat = defineHandler(
  messageHandler(messages, {
    binding: "ROOM",

    history: {
      chat: {
        messages: 100,
        encode({ data, time, position }) {
          const { from, text } = JSON.parse(String(data)) as { from: Person; text: string };
          return messages.encode("said", { from, text, at: time, position });
        },
      },
    },

    upgrade(request, { params }) {
      // `/ws/:room?name=` in the Hono app, `?room=&name=` if the handler is served alone; `&after=` for a client that comes back.
      const query = new URL(request.url).searchParams;
      const room = tidy(params["room"] ?? query.get("room") ?? "");
      const name = tidy(query.get("name") ?? "");
      const problem = problemWith(name, room);
      return problem === undefined ? { room, state: { name } } : new Response(problem, { status: 400 });
    },

    open(connection) {
      connection.subscribe("now");
      messages.send(connection, "welcome", { you: connection.id, people: Array.from(connection.peers(), person) });
      messages.publish(connection, "now", "joined", { who: person(connection) });
      const after = new URL(connection.url).searchParams.get("after");
      connection.subscribe("chat", { history: after === null ? true : { after } });
    },

    requests: {
      say(connection, { text }) {
        if (text.trim() === "") refuse("The message is empty.");
        if ([...text].length > limits.text) refuse(`The message is too long: ${limits.text} characters is the most.`);
        connection.publish("chat", JSON.stringify({ from: person(connection), text }));
        return { position: connection.room.history("chat").position };
      },
      show(connection, { data }) {
        const media = mediaType(data) ?? refuse("This is not a PNG, JPEG, GIF or WebP image.");
        messages.publish(connection, "now", "showed", { from: person(connection), media, data });
      },
    },

    close(connection) {
      messages.publish(connection, "now", "left", { who: person(connection) });
    },
  }),
);

function refuse(why: string): never {
  throw new MessageError("refused", why);
}

function person(connection: Chatter): Person {
  return { id: connection.id, name: connection.state.name };
}
