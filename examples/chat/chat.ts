/**
 * The chat: one handler for Cloudflare, Deno, Bun and Node. Its messages are defined in messages.ts.
 *
 * A room is an Edgewire room (on Cloudflare, a Durable Object), and everyone in it subscribes to the topic "chat". A person is a connection. Ids
 * identify people, so two may share a name. Who is online is not stored here but read from the room's open connections, so it remains correct
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

    upgrade(request, { params }) {
      // `/ws/:room?name=` in the Hono app, `?room=&name=` if the handler is served alone.
      const query = new URL(request.url).searchParams;
      const room = tidy(params["room"] ?? query.get("room") ?? "");
      const name = tidy(query.get("name") ?? "");
      const problem = problemWith(name, room);
      return problem === undefined ? { room, state: { name } } : new Response(problem, { status: 400 });
    },

    open(connection) {
      connection.subscribe("chat");
      messages.send(connection, "welcome", { you: connection.id, people: Array.from(connection.peers(), person) });
      messages.publish(connection, "chat", "joined", { who: person(connection) });
    },

    requests: {
      say(connection, { text }) {
        if (text.trim() === "") refuse("The message is empty.");
        if ([...text].length > limits.text) refuse(`The message is too long: ${limits.text} characters is the most.`);
        messages.publish(connection, "chat", "said", { from: person(connection), text });
      },
      show(connection, { data }) {
        const media = mediaType(data) ?? refuse("This is not a PNG, JPEG, GIF or WebP image.");
        messages.publish(connection, "chat", "showed", { from: person(connection), media, data });
      },
    },

    close(connection) {
      messages.publish(connection, "chat", "left", { who: person(connection) });
    },
  }),
);

function refuse(why: string): never {
  throw new MessageError("refused", why);
}

function person(connection: Chatter): Person {
  return { id: connection.id, name: connection.state.name };
}
