/** Everyone's cursor in a page: one handler for Cloudflare, Deno, Bun and Node. */
import { defineHandler } from "edgewire";
import { messageHandler } from "edgewire/messages";
import { messages } from "./messages.ts";

const people = messages.presence("people");

export const cursors = defineHandler(
  messageHandler(messages, {
    binding: "ROOM",

    // Who reads slowly gets the newest place of each cursor, and not all the places in between.
    slowConsumer: "coalesce",

    upgrade: (request) => ({ room: new URL(request.url).searchParams.get("room") || "lobby" }),

    open(connection) {
      messages.send(connection, "welcome", { you: connection.id });
      people.subscribe(connection);
      connection.subscribe("cursors");
    },

    presence: people,

    messages: {
      named: (connection, { name }) => connection.present(connection.id, { name }),
      moved(connection, { x, y }) {
        const { id } = connection;
        messages.publish(connection, "cursors", "moved", { who: id, x, y }, { key: id });
      },
    },
  }),
);
