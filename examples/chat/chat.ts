/**
 * The chat: one handler for Cloudflare, Deno, Bun and Node. Its messages are defined in messages.ts.
 *
 * A room is an Edgewire room (on Cloudflare, a Durable Object). Everyone in it subscribes to two topics: "chat", which keeps the last texts for those
 * who come later, and "now", for what only those who are here see. Everyone gets what is said, its author too: so all see one order.
 */
import { defineHandler } from "edgewire";
import { MessageError, messageHandler } from "edgewire/messages";
import { limits, mediaType, messages, problemWith, tidy } from "./messages.ts";
import type { Person } from "./messages.ts";

export const chat = defineHandler(
  messageHandler(messages, {
    binding: "ROOM",

    history: {
      chat: {
        messages: 200,
        encode({ data, time, position }) {
          const said = JSON.parse(String(data)) as { line: string; from: Person; text: string };
          return messages.encode("said", { ...said, at: time, position });
        },
      },
    },

    async upgrade(request, { params }) {
      // `/ws/:room?name=&key=` in the Hono app, `?room=&name=&key=` if the handler is served alone; `&after=` for a client that comes back.
      const query = new URL(request.url).searchParams;
      const room = tidy(params["room"] ?? query.get("room") ?? "");
      const name = tidy(query.get("name") ?? "");
      const problem = problemWith(name, room);
      if (problem !== undefined) return new Response(problem, { status: 400 });
      return { room, state: { id: await identify(name, query.get("key") ?? crypto.randomUUID()), name } };
    },

    open(connection) {
      messages.send(connection, "welcome", { you: connection.state });
      const after = new URL(connection.url).searchParams.get("after");
      connection.subscribe("chat", { history: after === null ? true : { after } });
      connection.subscribe("now");
      connection.present(connection.state.id, { name: connection.state.name });
      messages.send(connection, "people", {
        people: connection.room.presence().map(({ id, state }) => ({ id, ...(state as { name: string }) })),
      });
    },

    presence(room, { joined, left }) {
      for (const { id, state } of joined) messages.publish(room, "now", "joined", { who: { id, ...(state as { name: string }) } });
      for (const { id, state } of left) messages.publish(room, "now", "left", { who: { id, ...(state as { name: string }) } });
    },

    messages: {
      typing(connection) {
        messages.publish(connection, "now", "typing", { who: connection.state });
      },
    },

    requests: {
      say(connection, { line = crypto.randomUUID(), text }) {
        if (text.trim() === "") refuse("The message is empty.");
        if ([...text].length > limits.text) refuse(`The message is too long: ${limits.text} characters is the most.`);
        connection.room.publish("chat", JSON.stringify({ line, from: connection.state, text }));
      },
      show(connection, { line = crypto.randomUUID(), data }) {
        const media = mediaType(data) ?? refuse("This is not a PNG, JPEG, GIF or WebP image.");
        messages.publish(connection, "now", "showed", { line, from: connection.state, media, data });
        messages.send(connection, "shown", { line });
      },
    },
  }),
);

/**
 * Who someone is: the same in every tab of a browser, which sends the same key. The others see only a digest of it, so nobody can pass for
 * someone else.
 */
async function identify(name: string, key: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${key} ${name}`));
  return btoa(String.fromCharCode(...new Uint8Array(digest, 0, 12)));
}

function refuse(why: string): never {
  throw new MessageError("refused", why);
}
