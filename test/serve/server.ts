/** Node, Bun and Deno: the same file, unchanged. One listener for each handler, and one with TLS. */
import { readFileSync } from "node:fs";
import process from "node:process";
import { serve, type Serving } from "edgewire/serve";
import { sqlite, type SqliteStorage } from "edgewire/sqlite";
import { endWithParent } from "./end.ts";
import { createHandlers, handlerNames, outsideNames } from "../support/handler.ts";
import { heap } from "./heap.ts";
import { storageOf } from "../support/stored.ts";
import { answer } from "./http.ts";

const handlers = createHandlers();
const rooms = process.env["ROOMS"];
/** Where a listener keeps its rooms, if the run says so. */
const kept = (name: string): { readonly storage?: SqliteStorage } => (rooms === undefined ? {} : { storage: sqlite(rooms, { name }) });
const hostname = process.env["HOST"] ?? "127.0.0.1";
const file = (name: string): string => readFileSync(new URL(`../tls/${name}.pem`, import.meta.url), "utf8");

const main: Serving = await serve(handlers.main, {
  hostname,
  ...kept("main"),
  fetch: (request: Request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/heap") return heap();
    return pathname === "/stats" ? Response.json(main.stats()) : answer(request, main, main);
  },
});
const tls: Serving = await serve(handlers.main, {
  hostname,
  ...kept("tls"),
  tls: { cert: file("cert"), key: file("key") },
  fetch: (request: Request) => answer(request, tls, tls),
});
const tightTls: Serving = await serve(handlers.tight, { hostname, tls: { cert: file("cert"), key: file("key") } });
const ports: Record<string, number> = { main: main.port, tls: tls.port, tightTls: tightTls.port };
for (const name of handlerNames) {
  if (ports[name] !== undefined) continue;
  const fetch = (request: Request): Promise<Response> => answer(request, serving, serving);
  const outside = outsideNames.includes(name) ? { fetch } : {};
  const serving: Serving = await serve(handlers[name], { hostname, ...kept(name), ...storageOf(name), ...outside });
  ports[name] = serving.port;
}
endWithParent();
console.log(`LISTEN ${JSON.stringify(ports)}`);
