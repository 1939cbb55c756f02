/**
 * The chat: one handler for Cloudflare, Deno, Bun and Node. Its messages are defined in messages.ts.
 *
 * A room is an Edgewire room (on Cloudflare, a Durable Object). Everyone in it subscribes to three topics: "chat", which keeps the last texts for those
 * who come later, "now", for what only those who are here see, and "people": who they are. Everyone gets what is said, its author too: so all see
 * one order.
 *
 * With delivery a client that was cut off is still in the room, and goes on where it was in "chat", which keeps a history. What it sends meanwhile
 * arrives once. It asks who is here now: where a room spans nodes (`npm start -- node --nodes 2`), changes of who is present can't be kept, because
 * each node tells them to its own clients. There it also asks which node it has come to.
 */
import { defineHandler } from "edgewire";
import { delivery } from "edgewire/delivery";
import { MessageError, messageHandler } from "edgewire/messages";
import { limits, mediaType, messages, problemWith, tidy } from "./messages.ts";

const people = messages.presence("people");

export const chat = defineHandler(
  messageHandler(messages, {
    binding: "ROOM",

    delivery: delivery(),

    history: { chat: { messages: 200, encode: messages.positioned } },

    async upgrade(request, { params }) {
      // `/ws/:room?name=&key=` in the Hono app, `?room=&name=&key=` if the handler is served alone.
      const query = new URL(request.url).searchParams;
      const room = tidy(params["room"] ?? query.get("room") ?? "");
      const name = tidy(query.get("name") ?? "");
      const problem = problemWith(name, room);
      if (problem !== undefined) return new Response(problem, { status: 400 });
      const id = await identify(name, query.get("key") ?? crypto.randomUUID());
      return { room, subject: id, state: { id, name } };
    },

    open(connection) {
      const { id, name } = connection.state;
      messages.send(connection, "welcome", { you: connection.state, node: nodeOf(connection.env) });
      connection.subscribe("chat", { history: true });
      connection.subscribe("now");
      connection.present(id, { name });
      people.subscribe(connection);
    },

    presence: people,

    messages: {
      // The client was away, and "people" has changed.
      who: (connection) => void people.subscribe(connection),
      where(connection) {
        const node = nodeOf(connection.env);
        if (node !== undefined) messages.send(connection, "here", { node });
      },
      typing(connection) {
        messages.publish(connection, "now", "typing", { who: connection.state });
      },
    },

    requests: {
      say(connection, { line = crypto.randomUUID(), text }) {
        if (text.trim() === "") refuse("The message is empty.");
        if ([...text].length > limits.text) refuse(`The message is too long: ${limits.text} characters is the most.`);
        messages.publish(connection.room, "chat", "said", { line, from: connection.state, text });
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

/** The name of this node, where there are several. */
function nodeOf(env: unknown): string | undefined {
  return (env as { readonly NODE_NAME?: string } | undefined)?.NODE_NAME;
}

function refuse(why: string): never {
  throw new MessageError("refused", why);
}
