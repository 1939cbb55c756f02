/** Node with servers of the application's own: `attach` beside its request listener, with and without TLS. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { attach } from "edgewire/node";
import { endWithParent } from "./end.ts";
import { createHandlers, handlerNames } from "../handler.ts";

const handlers = createHandlers();
const ports: Record<string, number> = {};
const file = (name: string): string => readFileSync(new URL(`../tls/${name}.pem`, import.meta.url), "utf8");
const greet: RequestListener = (request, response) => {
  void text(request).then((body) => response.setHeader("x-served-by", "fetch").end(`${request.method} ${request.url} ${body}`));
};

for (const name of handlerNames) {
  const server = createServer(greet);
  attach(server, handlers[name]);
  ports[name] = await listen(server);
}
const secure = createSecureServer({ cert: file("cert"), key: file("key") }, greet);
attach(secure, handlers.main);
ports.tls = await listen(secure);
endWithParent();
console.log(`LISTEN ${JSON.stringify(ports)}`);

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}
