/** What stands behind each proxy: it answers "where", closes on "bye", and sends everything else back. It prints how connections end. */
import { defineHandler } from "edgewire";
import { serve } from "edgewire/serve";

const { HEARTBEAT, PROXIES } = process.env;

const handler = defineHandler({
  trustProxy: Number(PROXIES ?? 1),
  protocols: ["chat.v1"],
  heartbeat: HEARTBEAT === undefined ? {} : HEARTBEAT === "none" ? false : { interval: Number(HEARTBEAT) },
  upgrade(request) {
    if (new URL(request.url).pathname !== "/locked") return {};
    return new Response("Log in first\n", { status: 401, headers: { "www-authenticate": "Session" } });
  },
  message(connection, data) {
    if (data === "bye") return connection.close(4001, "until tomorrow");
    const { remoteAddress, url } = connection;
    connection.send(data === "where" ? JSON.stringify({ remoteAddress, url }) : data);
  },
  close: (_, { code, reason }) => console.log(`closed ${code} ${reason}`),
});

const server = await serve(handler, {
  port: Number(process.env.PORT),
  hostname: "127.0.0.1",
  fetch: (request) => new Response("ok\n", { status: new URL(request.url).pathname === "/health" ? 200 : 404 }),
  signals: { retry: 100 },
});
console.log(`listening on ${server.url}`);
