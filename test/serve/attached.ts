/** Node with servers of the application's own: `attach` beside its request listener, with and without TLS. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { attach, type Attached } from "edgewire/node";
import { endWithParent } from "./end.ts";
import { createHandlers, handlerNames, type HandlerName } from "../support/handler.ts";
import { heap } from "./heap.ts";
import { storageOf } from "../support/stored.ts";
import { answer } from "./http.ts";

const handlers = createHandlers();
const ports: Record<string, number> = {};
const file = (name: string): string => readFileSync(new URL(`../tls/${name}.pem`, import.meta.url), "utf8");
for (const name of handlerNames) ports[name] = await start(createServer(), name);
const certificate = { cert: file("cert"), key: file("key") };
ports.tls = await start(createSecureServer(certificate), "main");
ports.tightTls = await start(createSecureServer(certificate), "tight");

endWithParent();
console.log(`LISTEN ${JSON.stringify(ports)}`);

async function start(server: Server, name: HandlerName): Promise<number> {
  const attached = attach(server, handlers[name], storageOf(name));
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    // A client that resets in the middle of its body has nobody to answer.
    respond(request, response, attached).catch(() => response.destroy());
  });
  server.listen(0, process.env["HOST"] ?? "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** The application's own HTTP: what test/serve/http.ts answers, carried over to Node's request and response. */
async function respond(request: IncomingMessage, response: ServerResponse, attached: Attached): Promise<void> {
  const method = request.method ?? "GET";
  const body = await text(request);
  const url = new URL(request.url ?? "/", "http://localhost");
  const answered = await answers(new Request(url, { method, ...(body === "" ? {} : { body }) }), url.pathname, attached);
  response.writeHead(answered.status, Object.fromEntries(answered.headers)).end(await answered.text());
}

function answers(request: Request, pathname: string, attached: Attached): Response | Promise<Response> {
  if (pathname === "/heap") return heap();
  return pathname === "/stats" ? Response.json(attached.stats()) : answer(request, attached, attached);
}
