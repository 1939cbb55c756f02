/** An application without rooms, which a plain Worker can serve: it asks its clients, and streams. */
import { defineHandler } from "edgewire";
import { defineMessages, messageHandler } from "edgewire/messages";
import { z } from "zod";

export const messages = defineMessages({
  toServer: { consider: z.undefined(), leave: z.undefined() },
  toClient: { noted: z.string(), confirm: { payload: z.undefined(), result: z.boolean() } },
  requests: { count: { payload: z.int(), item: z.int() } },
});

export const handler = defineHandler(
  messageHandler(messages, {
    origins: "*",
    async open(connection) {
      if (connection.url.endsWith("?confirm")) messages.send(connection, "noted", `open: ${await messages.request(connection, "confirm")}`);
    },
    messages: {
      consider: async (connection) => messages.send(connection, "noted", `hook: ${await messages.request(connection, "confirm")}`),
      leave: (connection) => messages.send(connection, "noted", "left"),
    },
    requests: {
      async *count(_connection, to) {
        for (let number = 1; number <= to; number++) yield await Promise.resolve(number);
      },
    },
  }),
);
