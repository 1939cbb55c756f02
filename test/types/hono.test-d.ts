/** What Hono's client knows of a route that `upgrade` mounts. Compiled, never run. */
import { defineHandler } from "edgewire";
import type { UpgradeContext } from "edgewire";
import { rooms, upgrade } from "edgewire/hono";
import type { UpgradeContextOf } from "edgewire/hono";
import { defineMessages, messageHandler } from "edgewire/messages";
import { memory } from "edgewire/memory";
import { serve } from "edgewire/serve";
import { worker } from "edgewire/workers";
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

// What `upgrade` needs of the variables, by the app's type …
interface Visitor {
  readonly name: string;
}
type App = { Variables: { visitor: Visitor; lang: string } };
const greeter = defineHandler({
  upgrade(_request, context: UpgradeContextOf<App & { Bindings: { GREETING: string } }>) {
    expectTypeOf(context.vars.visitor).toEqualTypeOf<Visitor>();
    expectTypeOf(context.env.GREETING).toEqualTypeOf<string>();
    // @ts-expect-error: no such variable.
    void context.vars.visiter;
    return { state: { name: context.vars.visitor.name } };
  },
  message: (connection) => void connection.send(`${connection.env.GREETING}, ${connection.state.name}`),
});
// … by the variables alone, with a named state, and beside typed messages.
const needy = defineHandler<{ name: string }, unknown, { readonly visitor: Visitor }>()({
  upgrade: (_request, { vars }) => ({ state: { name: vars.visitor.name } }),
});
const spoken = defineHandler(
  messageHandler(defineMessages({}), {
    upgrade: (_request, { vars }: UpgradeContext<unknown, { readonly visitor: Visitor }>) => ({ state: { name: vars.visitor.name } }),
    open: ({ state }) => void expectTypeOf(state.name).toEqualTypeOf<string>(),
  }),
);

const visited = createMiddleware<App>(async (c, next) => {
  c.set("visitor", { name: "Ada" });
  c.set("lang", "en");
  await next();
});
// An app that says so, or that has the middleware in front.
const said = new Hono<App>().get("/ws/:room", upgrade(greeter)).get("/needy", cors(), upgrade(needy));
const used = new Hono().use(visited).get("/ws/:room", upgrade(spoken)).all("*", upgrade(greeter));
const beside = new Hono().get("/ws/:room", cors(), visited, upgrade(needy));
expectTypeOf(hc<typeof said>("http://localhost").ws[":room"].$ws({ param: { room: "lobby" } })).toEqualTypeOf<WebSocket>();
expectTypeOf(hc<typeof used>("http://localhost").ws[":room"].$ws({ param: { room: "lobby" } })).toEqualTypeOf<WebSocket>();
expectTypeOf(hc<typeof beside>("http://localhost").ws[":room"].$ws({ param: { room: "lobby" } })).toEqualTypeOf<WebSocket>();
new Hono<{ Variables: { visitor: { name: string; age: number } } }>().on("GET", "/ws", upgrade(needy));
new Hono<App>().use("/ws", upgrade(needy));

// @ts-expect-error: the app has no such variable.
new Hono().get("/ws/:room", upgrade(greeter));
// @ts-expect-error: one of another type.
new Hono<{ Variables: { visitor: string } }>().get("/ws/:room", upgrade(needy));
// @ts-expect-error: the middleware comes too late.
new Hono().get("/ws/:room", upgrade(spoken)).use(visited);
// @ts-expect-error: the middleware is behind it.
new Hono().get("/ws/:room", upgrade(needy), visited);
// Its rooms need none.
new Hono().get("/rooms", rooms(greeter), async (c) => c.json(await c.var.rooms.room("lobby").count()));

// Where nobody sets variables.
// @ts-expect-error: alone, it would find none.
void serve(greeter);
// @ts-expect-error: nor does a Worker.
worker(needy);
// A test sets them itself.
void memory(greeter).connect("ws://localhost/", { vars: { visitor: { name: "Ada" }, lang: "en" } });
// @ts-expect-error: of another type.
void memory(needy).connect("ws://localhost/", { vars: { visitor: "Ada" } });
void serve({ fetch: used.fetch }).then((server) => server.rooms(greeter).room("lobby").count());
expectTypeOf<UpgradeContext["vars"]>().toEqualTypeOf<Readonly<Record<string, unknown>>>();
expectTypeOf<UpgradeContextOf<{ Bindings: { A: 1 } }>["env"]>().toEqualTypeOf<{ A: 1 }>();
