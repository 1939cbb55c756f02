/** The application of docs/vectors.json: three schema libraries, both codecs, and hooks that are slow, refuse and fail. */
import { defineHandler } from "edgewire";
import { MessageError, messageHandler } from "edgewire/messages";
import { messages } from "./definition.ts";

export const handler = defineHandler(
  messageHandler(messages, {
    binding: "ROOM",
    origins: "*",
    maxRequests: 3,
    upgrade: (request) => ({ room: new URL(request.url).pathname.slice(1) || "lobby", state: { said: 0, invalid: 0 } }),
    async open(connection) {
      connection.subscribe("all");
      if (!connection.url.endsWith("?confirm")) return;
      const confirmed = await messages.request(connection, "confirm", { what: "open" });
      messages.send(connection, "noted", { what: `open: ${confirmed}` });
    },
    messages: {
      say(connection, { text }) {
        if (text === "forbidden") throw new MessageError("forbidden", "we do not say that");
        connection.setState({ ...connection.state, said: connection.state.said + 1 });
        messages.publish(connection, "all", "said", { from: connection.state.said === 1 ? "new" : "known", text });
        messages.send(connection, "noted", { what: `said ${connection.state.said}` });
      },
      whisper: (connection, { text }) => messages.send(connection, "whispered", { text }),
      async consider(connection, { what, deadline, wait }) {
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
        const options = deadline === undefined ? {} : { deadline };
        const outcome = await messages
          .request(connection, "confirm", { what }, options)
          .catch((error: unknown) => (error instanceof MessageError ? error.code : String(error)));
        messages.send(connection, "noted", { what: `${what}: ${outcome}` });
      },
      leave: (connection) => messages.send(connection, "left"),
    },
    requests: {
      sum: (_connection, numbers) => numbers.reduce((sum, one) => sum + one, 0),
      echo: (_connection, payload) => payload,
      async slow(connection, _payload, { signal }) {
        messages.send(connection, "noted", { what: "slow began" });
        await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
        throw new Error("not reached");
      },
      refuse(_connection, { code }) {
        throw new MessageError(code, "as you wish");
      },
      async fail() {
        await Promise.resolve();
        throw new Error("a secret");
      },
      relay: (connection, { what }) => messages.request(connection, "confirm", { what }),
      async *count(_connection, { to }) {
        for (let number = 1; number <= to; number++) yield await Promise.resolve(number);
      },
      async *endless(connection) {
        try {
          for (let number = 1; ; number++) yield await Promise.resolve(number);
        } finally {
          messages.send(connection, "noted", { what: "endless ended" });
        }
      },
      async *breaks() {
        yield await Promise.resolve(1);
        throw new Error("a secret");
      },
    },
    invalid(connection, { code }) {
      connection.setState({ ...connection.state, invalid: connection.state.invalid + 1 });
      if (connection.state.invalid === 20) connection.close(1008, code);
    },
    error: (error) => console.log(`error: ${String(error)}`),
  }),
);
