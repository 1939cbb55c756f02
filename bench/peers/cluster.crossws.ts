/** A node of crossws on Node, with its `sync` over Redis. Argument: the address of Redis. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import crossws from "crossws/adapters/node";
import { redis, type RedisClientLike } from "crossws/sync";
import { Redis } from "ioredis";

const [url = ""] = process.argv.slice(2);

// A namespace, by default the path, has topics of its own: a room.
const ws = crossws({
  hooks: {
    open(peer) {
      if (!peer.request.url.endsWith("?pub")) peer.subscribe("t");
    },
    // To all, as the others do: `peer.publish` leaves out the peer.
    message: (peer, message) => ws.publish("t", message.text(), { namespace: peer.namespace }),
  },
  // Its types know ioredis 5.
  sync: redis({ client: new Redis(url) as unknown as RedisClientLike, channel: "bench" }),
});
const server = createServer();
server.on("upgrade", (request, socket, head) => void ws.handleUpgrade(request, socket, head));
server.listen(0, "127.0.0.1", () => console.log(`LISTEN ${(server.address() as AddressInfo).port}`));
