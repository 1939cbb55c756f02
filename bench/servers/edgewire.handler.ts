/** Edgewire: one handler for every runtime. */
import { defineHandler } from "edgewire";

type Bench = ReturnType<typeof defineHandler>;

/** Like the default rate limit, but high enough for the load generator. The check itself still runs. */
const rate = { messages: 10_000_000, bytes: 2 ** 32 };

/** @param options that a runtime needs in addition: for a Durable Object, the room. */
export function bench(mode: string, options: { binding?: string; upgrade?: () => { room: string } } = {}): Bench {
  if (mode !== "fanout") return defineHandler({ ...options, rate, message: (connection, data) => void connection.send(data) });
  return defineHandler({
    ...options,
    rate,
    open(connection) {
      // Connections with `idle` subscribe to nothing (bench/measure/publish.ts).
      if (!connection.url.endsWith("/pub") && !connection.url.endsWith("/?idle")) connection.subscribe("t");
    },
    message: (connection, data) => void connection.publish("t", data),
  });
}
