/** Edgewire: one handler for every runtime. */
import { defineHandler } from "edgewire";

type Bench = ReturnType<typeof defineHandler>;

/** `options`: what only some modes want. */
export function bench(mode: string): Bench {
  const upgrade = (): { room: string } => ({ room: "room" });
  if (mode !== "fanout") {
    return defineHandler({ binding: "ROOM", upgrade, message: (connection, data) => void connection.send(data) });
  }
  return defineHandler({
    binding: "ROOM",
    upgrade,
    open(connection) {
      if (!connection.url.endsWith("/pub")) connection.subscribe("t");
    },
    message: (connection, data) => void connection.publish("t", data),
  });
}
