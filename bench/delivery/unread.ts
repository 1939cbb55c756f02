/** How much more memory a server takes while a client reads nothing of what is published: with delivery its window bounds it. */
import { Watch } from "../../test/fuzz/watch.ts";
import { handshake, type Client } from "../../test/support/client.ts";
import { deliveryProtocol } from "../../src/protocol/delivery.ts";
import type { Runtime } from "../servers/contenders.ts";
import { Server } from "../servers/server.ts";

const size = 16 * 1024;
/** Messages under way. */
const batch = 64;
const patience = 60_000;

/** MiB. @param kind whether the client that reads nothing has delivery; `reading` is one that reads: what grows anyway. */
export async function unread(runtime: Runtime, kind: "plain" | "delivery" | "reading", mebibytes: number): Promise<number> {
  const server = await Server.start("delivery", runtime, "readers");
  const clients: Client[] = [];
  try {
    const connect = async (target: string, more = {}): Promise<Client> => {
      const client = await handshake({ port: server.port }, { target, ...more }, patience);
      clients.push(client);
      return client;
    };
    const [publisher, reading] = [await connect("/pub"), await connect("/")];
    const deaf = await connect("/", kind === "delivery" ? { headers: [["Sec-WebSocket-Protocol", deliveryProtocol]] } : {});
    const publish = async (bytes: number): Promise<void> => {
      for (let sent = 0; sent < bytes; sent += batch * size) {
        for (let message = 0; message < batch; message++) publisher.send("x".repeat(size));
        for (let message = 0; message < batch; message++) await reading.next();
      }
    };
    // What grows once, whoever reads.
    await publish(16 * 2 ** 20);
    const watch = new Watch(server.port, false);
    const before = watch.memory;
    if (kind !== "reading") deaf.pause();
    await publish(mebibytes * 2 ** 20);
    return watch.memory - before;
  } finally {
    for (const client of clients) client.reset();
    server.stop();
  }
}
