/** A Hono app in front of a handler, whose middleware does what the URL asks for: after the handshake was accepted, too. */
import { upgrade } from "edgewire/hono";
import { Hono, type Context, type MiddlewareHandler, type Next } from "hono";
import { bodyLimit } from "hono/body-limit";
import { compress } from "hono/compress";
import { cors } from "hono/cors";
import { etag } from "hono/etag";
import { secureHeaders } from "hono/secure-headers";
import { own } from "./bodies.ts";
import type { FuzzHandler } from "./handler.ts";
import { odd, type OddName, type Way } from "./odd.ts";

/** What stands in front of a route; each is one value of the query's `mw`. */
const middleware = {
  none: (_, next) => next(),
  sleeps: async (_, next) => {
    await next();
    await new Promise((resolve) => setTimeout(resolve, 20));
  },
  "sleeps first": async (_, next) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    await next();
  },
  header: async (c, next) => {
    c.header("x-before", "1");
    await next();
    c.header("x-after", "caf\u00e9");
    c.res.headers.append("set-cookie", "after=1");
  },
  "status after": async (c, next) => {
    await next();
    c.status(418);
  },
  "replaces it": async (c, next) => {
    await next();
    c.res = own(idOf(c), "replaced", { status: 403 });
  },
  "drops it": async (c, next) => {
    await next();
    c.res = undefined as unknown as Response;
  },
  "copies it": async (c, next) => {
    await next();
    c.res = c.res.clone();
  },
  "answers 204": async (c) => own(idOf(c), null, { status: 204 }),
  throws: () => {
    throw new Error("secret: middleware");
  },
  "throws after": async (_, next) => {
    await next();
    throw new Error("secret: middleware");
  },
  "throws no Error": async (_, next) => {
    await next();
    throw "secret: middleware";
  },
  "throws undefined": () => Promise.reject(undefined),
  "next twice": async (_, next) => {
    await next();
    await next();
  },
  "never after": async (_, next) => {
    await next();
    await new Promise(() => {});
  },
  "odd instead": (c) => oddOf(c) as Promise<Response>,
  "odd after": async (c, next) => {
    await next();
    c.res = (await oddOf(c)) as Response;
  },
  "reads the body": async (c, next) => {
    await c.req.text();
    await next();
  },
  etag: etag(),
  compress: compress(),
  cors: cors(),
  secureHeaders: secureHeaders(),
  bodyLimit: bodyLimit({ maxSize: 1000 }),
} satisfies Record<string, MiddlewareHandler>;
export type MiddlewareName = keyof typeof middleware;
export const middlewareNames = Object.keys(middleware) as MiddlewareName[];

/** What answers something else, or throws, once the handshake is accepted. */
export const latecomers: ReadonlySet<MiddlewareName> = new Set([
  "status after",
  "replaces it",
  "drops it",
  "copies it",
  "throws after",
  "throws no Error",
  "next twice",
  "never after",
  "odd after",
]);

/** Handshakes at /ws; the rest is `answerHttp`. */
export function createApp(handler: FuzzHandler, answerHttp: (request: Request) => unknown, ...first: readonly MiddlewareHandler[]): Hono {
  const app = new Hono();
  for (const one of first) app.use(one);
  const accept = upgrade(handler);
  app.use(async (c: Context, next: Next) => middleware[(c.req.query("mw") ?? "none") as MiddlewareName](c, next));
  app.all("/ws", accept);
  // Where neighbours come.
  app.get("/", accept);
  // Two handshakes are accepted for one request: one of them comes to nothing.
  app.all("/twice", async (c, next) => {
    await accept(c, next);
    return accept(c, next);
  });
  app.all("*", (c) => answerHttp(c.req.raw) as Response);
  app.onError((_, c) => c.text("onError\n", 500, { "x-fuzz": "none" }));
  return app;
}

function oddOf(c: Context): unknown {
  const [name, way] = JSON.parse(c.req.query("mwodd") ?? '["null","return"]') as [OddName, Way];
  return odd(name, way, idOf(c));
}

/** A plain request's own, or a handshake's. */
function idOf(c: Context): string {
  const { searchParams } = new URL(c.req.url);
  return searchParams.get("id") ?? (JSON.parse(searchParams.get("wanted") ?? '{"id":"none"}') as { id: string }).id;
}
