/** Many clients come back to one server at once, each to ten logs of which it has missed nothing: the seconds until the last is live. */
import { Load, type Generator } from "../load/load.ts";
import type { Runtime } from "../servers/contenders.ts";
import { Server } from "../servers/server.ts";

export async function crowd(runtime: Runtime, clients: number, generator: Generator): Promise<number> {
  const server = await Server.start("delivery", runtime, "returns");
  try {
    const load = await Load.start(
      server.port,
      { mode: "returns", connections: clients, inflight: clients, bytes: 32, type: "text" },
      generator,
    );
    try {
      // Their sessions begin, and they go away.
      await load.slice(1);
      // None comes back twice in so short a time.
      const { messages, ms } = await load.slice(1);
      if (messages !== clients) throw new Error(`${messages} of ${clients} clients are back`);
      return ms / 1000;
    } finally {
      load.stop();
    }
  } finally {
    server.stop();
  }
}
