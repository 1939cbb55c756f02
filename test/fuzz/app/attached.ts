/**
 * Node with servers of the application's own. `main`: `attach` takes every handshake; `pathed`: those of one path, and another library
 * takes those of another; `app`: a Hono app takes them.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { attach } from "edgewire/node";
import { endWithParent } from "../../serve/end.ts";
import { createHandler } from "./handler.ts";
import { createApp } from "./app.ts";
import { answerProcess } from "./process.ts";

const main = createHandler("main");
const servers = { main: createServer(), few: createServer(), pathed: createServer(), app: createServer() };
attach(servers.main, main);
attach(servers.few, createHandler("few"));
attach(servers.pathed, createHandler("cross"), { path: "/" });
attach(servers.pathed, main, { path: "/second" });
servers.pathed.on("upgrade", another);
attach(servers.app, { fetch: createApp(main, answerProcess).fetch });

const ports: Record<string, number> = {};
for (const [name, server] of Object.entries(servers)) ports[name] = await start(server);
endWithParent();
console.log(`LISTEN ${JSON.stringify(ports)}`);

async function start(server: Server): Promise<number> {
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    // A client that resets in the middle of its body has nobody to answer.
    respond(request, response).catch(() => response.destroy());
  });
  server.listen(0, process.env["HOST"] ?? "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Another library's WebSockets, on a path of its own: it refuses them all. */
function another(incoming: IncomingMessage, socket: Duplex): void {
  if (!incoming.url?.startsWith("/other")) return;
  socket.on("error", () => {});
  socket.once("finish", () => socket.destroy());
  socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
}

/** What answer.ts answers, carried over to Node's response. */
async function respond(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const { method = "GET" } = incoming;
  const body = method === "GET" || method === "HEAD" ? "" : await text(incoming);
  const url = URL.parse(incoming.url ?? "/", "http://localhost") ?? new URL("http://localhost/");
  const request = new Request(url, { method: /^(CONNECT|TRACE|TRACK)$/.test(method) ? "POST" : method, ...(body === "" ? {} : { body }) });
  const response = (await answerProcess(request)) as Response;
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  if (response.body === null) return void outgoing.end();
  const stream = Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]);
  outgoing.on("close", () => stream.destroy());
  stream.on("error", () => outgoing.destroy()).pipe(outgoing);
}
