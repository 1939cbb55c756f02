/** Node, attached to a server of the application's own that @hono/node-server answers. */
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { attach } from "edgewire/node";
import type { Attached } from "edgewire/node";
import { createApp } from "./app.ts";

const { app, chat } = createApp();
const server: Server = createServer(
  getRequestListener(async (request) => {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith("/announce/")) return app.fetch(request);
    // Outside the app that `attach` serves, rooms are reached through what it returned.
    const room = attached.rooms(chat).room(pathname.slice("/announce/".length));
    return Response.json({ count: await room.count(), reached: await room.broadcast(await request.text()) });
  }),
);
const attached: Attached = attach(server, { fetch: app.fetch });
server.listen(0, "127.0.0.1", () => console.log(`listening on http://localhost:${(server.address() as AddressInfo).port}`));
