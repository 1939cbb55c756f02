/** Connections with delivery and without, of one handler whose topics keep a history. */
import { defineHandler } from "edgewire";
import { delivery } from "edgewire/delivery";

type Bench = ReturnType<typeof defineHandler>;

const ten = Array.from({ length: 10 }, (_, index) => `t${index}`);

/** @param mode `fanout` and `readers` publish to one topic; in the others clients subscribe to ten. @param options as in edgewire.handler.ts. */
export function bench(mode: string, options: { binding?: string; upgrade?: () => { room: string } } = {}): Bench {
  const isFanout = mode === "fanout" || mode === "readers";
  return defineHandler({
    ...options,
    rate: { messages: 10_000_000, bytes: 2 ** 32 },
    history: Object.fromEntries(["t", ...ten].map((topic) => [topic, { messages: 100 }])),
    delivery: delivery({ maxDisconnected: 20_000 }),
    maxConnections: 20_000,
    maxConnectionsPerRoom: 20_000,
    open(connection) {
      if (!isFanout) for (const topic of ten) connection.subscribe(topic);
      else if (!connection.url.endsWith("/pub")) connection.subscribe("t");
    },
    message: (connection, data) => void connection.publish("t", data),
  });
}
