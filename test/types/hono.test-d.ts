/** What Hono's client knows of a route that `upgrade` mounts. Compiled, never run. */
import { defineHandler } from "edgewire";
import { rooms, upgrade } from "edgewire/hono";
import { Hono } from "hono";
import { hc } from "hono/client";
import { cors } from "hono/cors";
import { createMiddleware } from "hono/factory";
import { expectTypeOf } from "vitest";

const chat = defineHandler({ upgrade: () => ({ state: { name: "Ada" } }) });

const plain = new Hono().get("/ws/:room", upgrade(chat));
const { ws } = hc<typeof plain>("http://localhost");
expectTypeOf(ws[":room"].$ws({ param: { room: "lobby" } })).toEqualTypeOf<WebSocket>();
// @ts-expect-error: the route has a parameter.
ws[":room"].$ws({ param: { lobby: "x" } });

// Behind other middleware, with variables of an app's own, under a base path, and mounted in another app.
interface Env {
  Bindings: { ROOM: object };
  Variables: { user: string };
}
const auth = createMiddleware<Env>(async (c, next) => {
  c.set("user", "Ada");
  await next();
});
const inner = new Hono<Env>()
  .basePath("/v1")
  .get("/ws/:room", auth, upgrade(chat))
  .get("/echo", cors(), upgrade(chat))
  .get("/count/:room", rooms(chat), async (c) => {
    expectTypeOf(c.var.user).toEqualTypeOf<string>();
    return c.json({ count: await c.var.rooms.room(c.req.param("room")).count() });
  });
const app = new Hono().route("/api", inner);
const client = hc<typeof app>("http://localhost");
expectTypeOf(client.api.v1.ws[":room"].$ws({ param: { room: "lobby" } })).toEqualTypeOf<WebSocket>();
expectTypeOf(client.api.v1.echo.$ws()).toEqualTypeOf<WebSocket>();
// @ts-expect-error: no WebSocket.
void client.api.v1.count[":room"].$ws;

// As a handler of any app's.
new Hono<Env>().all("*", upgrade(chat));
