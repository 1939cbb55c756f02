/** Node with a Hono app for each handler, middleware in front: what `upgrade` and `rooms` of edgewire/hono do, under `edgewire/serve`. */
import { readFileSync } from "node:fs";
import { wantsWebSocket } from "edgewire";
import { rooms, upgrade } from "edgewire/hono";
import { serve, type ServeOptions } from "edgewire/serve";
import { Hono } from "hono";
import { compress } from "hono/compress";

import { etag } from "hono/etag";
import { secureHeaders } from "hono/secure-headers";
import { endWithParent } from "./end.ts";
import { createHandlers, handlerNames, outsideNames, type HandlerName } from "../support/handler.ts";
import { storageOf } from "../support/stored.ts";
import { answer, type All } from "./http.ts";

const handlers = createHandlers();
const file = (name: string): string => readFileSync(new URL(`../tls/${name}.pem`, import.meta.url), "utf8");
const ports: Record<string, number> = {};
for (const name of handlerNames) ports[name] = await start(name);
const tls = { cert: file("cert"), key: file("key") };
ports.tls = await start("main", { tls });
ports.tightTls = await start("tight", { tls });
endWithParent();
console.log(`LISTEN ${JSON.stringify(ports)}`);

async function start(name: HandlerName, options: Pick<ServeOptions, "tls"> = {}): Promise<number> {
  const app = new Hono();
  app.use(etag(), compress(), secureHeaders());
  if (outsideNames.includes(name)) {
    app.use(rooms(handlers[name]), (c, next) => (wantsWebSocket(c.req.raw) ? next() : answer(c.req.raw, c.var.rooms, all())));
  }
  app.all("*", upgrade(handlers[name]));
  const serving = await serve({ fetch: app.fetch, hostname: "127.0.0.1", ...storageOf(name), ...options });
  const all = (): All => ({ ...serving.rooms(handlers[name]), stats: () => serving.stats() });
  return serving.port;
}
