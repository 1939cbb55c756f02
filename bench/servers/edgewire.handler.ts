/** Edgewire: one handler for every runtime. */
import { defineHandler } from "edgewire";

type Bench = ReturnType<typeof defineHandler>;

/** As the limit's default is, but high enough for a client that does nothing but send: the check itself stays. */
const rate = { messages: 10_000_000, bytes: 2 ** 40 };

export function bench(mode: string): Bench {
  const upgrade = (): { room: string } => ({ room: "room" });
  if (mode !== "fanout") {
    return defineHandler({ binding: "ROOM", rate, upgrade, message: (connection, data) => void connection.send(data) });
  }
  return defineHandler({
    binding: "ROOM",
    rate,
    upgrade,
    open(connection) {
      // Those of `idle` are only there (bench/publish.ts).
      if (!connection.url.endsWith("/pub") && !connection.url.endsWith("/?idle")) connection.subscribe("t");
    },
    message: (connection, data) => void connection.publish("t", data),
  });
}
