/** A node of Edgewire, on any runtime. Arguments: the address of Redis, and `kept` if the topic has a history. */
import process from "node:process";
import { defineHandler } from "edgewire";
import { redis } from "edgewire/redis";
import { serve } from "edgewire/serve";

const [url = "", kept] = process.argv.slice(2);
const most = 20_000;

const handler = defineHandler({
  // The load generator is one client that only sends, and all clients have one address.
  rate: { messages: 10_000_000, bytes: 2 ** 32 },
  maxConnections: most,
  maxConnectionsPerRoom: most,
  ...(kept === "kept" ? { history: { t: { messages: 100 } } } : {}),
  upgrade: (request) => ({ room: new URL(request.url).pathname.slice(1) }),
  open(connection) {
    if (!connection.url.endsWith("?pub")) connection.subscribe("t");
  },
  message: (connection, data) => void connection.room.publish("t", data),
});

const server = await serve(handler, { hostname: "127.0.0.1", backplane: redis(url) });
console.log(`LISTEN ${server.port}`);
