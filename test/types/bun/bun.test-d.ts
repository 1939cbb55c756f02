/** What Edgewire gives a bare `Bun.serve` is what Bun takes. */
import { defineHandler } from "edgewire";
import { serve, websocket } from "edgewire/bun";
import { upgrade } from "edgewire/hono";
import { defineMessages, messageClient } from "edgewire/messages";
import { serve as serveAnywhere } from "edgewire/serve";
import { Hono } from "hono";
import { expectTypeOf } from "vitest";

const echo = defineHandler({
  message(connection, data) {
    connection.send(data);
  },
});
const app = new Hono().get("/ws/:room", upgrade(echo));

Bun.serve({ port: 0, fetch: app.fetch, websocket });

expectTypeOf(serve).toEqualTypeOf(serveAnywhere);
void serve({ fetch: app.fetch });

const ticks = defineMessages({});
messageClient(ticks, new WebSocket("ws://localhost/", ticks.protocols));
