/** An app with common middleware in front of two handlers. */
import { defineHandler } from "edgewire";
import { rooms, upgrade } from "edgewire/hono";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { compress } from "hono/compress";
import { cors } from "hono/cors";
import { etag } from "hono/etag";
import { logger } from "hono/logger";
import { secureHeaders } from "hono/secure-headers";
import { timing } from "hono/timing";
import { unsendable, type Unsendable } from "../support/unsendable.ts";

export interface Handlers {
  readonly app: Hono<{ Variables: { user: string } }>;
  readonly chat: ReturnType<typeof chatHandler>;
}

function chatHandler(binding: { binding?: string }): ReturnType<typeof defineHandler<{ user: string }>> {
  return defineHandler<{ user: string }>({
    ...binding,
    protocols: ["chat"],
    upgrade(_, { params, vars }) {
      if (params["room"] === "broken") throw new Error("secret");
      if (params["room"] === "unsendable") return unsendable(String(vars["user"]) as Unsendable, "secret");
      if (params["room"] === "members") return new Response("members only", { status: 401, headers: { "www-authenticate": "Basic" } });
      return {
        state: { user: String(vars["user"]) },
        headers: [
          ["set-cookie", "a=1"],
          ["set-cookie", "b=2"],
          ["x-upgrade", "hook"],
        ],
      };
    },
    message: (connection, data) => void connection.send(`${connection.room.name} ${connection.state.user} ${String(data)}`),
    error: (error, { hook }) => console.log(`error hook: ${hook}: ${(error as Error).message}`),
  });
}

/** `binding`: chat in Durable Objects; the echo is plain everywhere. */
export function createApp(binding: { binding?: string } = {}): Handlers {
  const chat = chatHandler(binding);
  let worked = 0;
  const echo = defineHandler({
    message(connection, data) {
      if (data === "work") connection.waitUntil(new Promise((resolve) => setTimeout(resolve, 300)).then(() => worked++));
      connection.send(data);
    },
  });
  const app = new Hono<{ Variables: { user: string } }>();
  app.use(logger(), cors(), secureHeaders(), etag(), compress(), timing());
  app.use(async (c, next) => {
    c.set("user", c.req.query("user") ?? "nobody");
    c.header("x-before", "1");
    c.header("set-cookie", "before=1", { append: true });
    await next();
    c.header("x-after", "1");
    if (c.req.query("after") === "odd") c.header("x-odd", "a\u0001b");
    if (c.req.query("after") === "403") c.res = new Response("no after all", { status: 403 });
  });
  app.get("/", (c) => c.text("home"));
  app.get("/worked", (c) => c.text(String(worked)));
  app.get("/ws/:room", upgrade(chat));
  app.get("/echo", upgrade(echo));
  app.post("/announce/:room", bodyLimit({ maxSize: 1000 }), rooms(chat), async (c) => {
    const room = c.var.rooms.room(c.req.param("room"));
    return c.json({ count: await room.count(), reached: await room.broadcast(await c.req.text()) });
  });
  app.onError((error, c) => c.text(`onError: ${error.message}`, 418));
  return { app, chat };
}
