/** Edgewire: one handler for every runtime. */
import { defineHandler } from "edgewire";

type Bench = ReturnType<typeof defineHandler>;

/** As the limit's default is, but high enough for a client that does nothing but send: the check itself stays. */
const rate = { messages: 10_000_000, bytes: 2 ** 32 };

/** @param options what a runtime asks for beyond: a Durable Object's room. */
export function bench(mode: string, options: { binding?: string; upgrade?: () => { room: string } } = {}): Bench {
  if (mode !== "fanout") return defineHandler({ ...options, rate, message: (connection, data) => void connection.send(data) });
  return defineHandler({
    ...options,
    rate,
    open(connection) {
      // Those of `idle` are only there (bench/measure/publish.ts).
      if (!connection.url.endsWith("/pub") && !connection.url.endsWith("/?idle")) connection.subscribe("t");
    },
    message: (connection, data) => void connection.publish("t", data),
  });
}
