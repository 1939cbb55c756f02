/** Where Node's handshakes come from: an application of each kind, in this process, whose hooks and answers a test may hold back. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { defineHandler, type Handler } from "edgewire";
import { upgrade } from "edgewire/hono";
import { attach, serve } from "edgewire/node";
import { Hono } from "hono";
import { dial, type Client } from "../support/client.ts";
import { encodeRequest, type HeaderList } from "../wire/http.ts";

export interface Site extends AsyncDisposable {
  readonly port: number;
  /** How often the `upgrade` hook ran. */
  readonly upgrades: () => number;
  /** Accepted and refused handshakes, open connections. */
  readonly stats: () => { readonly open: number };
  close(deadline: number): Promise<void>;
}

/** What the application's pages do: `/wait` answers once `release` is called, `/close` ends the connection, `/large` is more than sockets hold. */
export interface Pages {
  readonly waiting: Promise<void>;
  readonly release: () => void;
}

export const largeBody: number = 8 * 1024 * 1024;

export function pages(): Pages {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { waiting: promise, release: resolve };
}

function large(): ReadableStream<Uint8Array> {
  let left = largeBody;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(new Uint8Array(64 * 1024));
      if ((left -= 64 * 1024) === 0) controller.close();
    },
  });
}

async function page(request: Request, { waiting }: Pages): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/wait") await waiting;
  if (pathname === "/large") return new Response(large());
  return new Response(`page ${pathname}`, pathname === "/close" ? { headers: { connection: "close" } } : {});
}

/** The application's own server: bodies that nobody reads, and pages by Node's own means. */
function applicationServer({ waiting }: Pages): Server {
  return createServer(async (request, response) => {
    if (request.url === "/wait") await waiting;
    if (request.url === "/read") await text(request);
    if (request.url === "/close") response.setHeader("connection", "close");
    if (request.url === "/large") Readable.fromWeb(large() as never).pipe(response);
    else response.end(`page ${request.url}`);
  });
}

function echo(options: Handler): { handler: ReturnType<typeof defineHandler>; upgrades: () => number } {
  let upgrades = 0;
  const handler = defineHandler({
    message: (connection, data) => void connection.send(data),
    ...options,
    upgrade(request, context) {
      upgrades++;
      return options.upgrade?.(request, context) as never;
    },
  });
  return { handler: handler as ReturnType<typeof defineHandler>, upgrades: () => upgrades };
}

function appOf(handler: ReturnType<typeof defineHandler>, shown: Pages): Hono {
  const app = new Hono();
  app.get("/ws", upgrade(handler));
  app.all("*", (c) => page(c.req.raw, shown));
  return app;
}

/** In each, handshakes are on `/ws`. */
export const sites: Record<string, (options?: Handler, shown?: Pages) => Promise<Site>> = {
  async serve(options = {}, shown = pages()) {
    const { handler, upgrades } = echo(options);
    const served = await serve(handler, { hostname: "127.0.0.1", signals: false, fetch: (request) => page(request, shown) });
    return site(
      served.port,
      upgrades,
      () => served.stats(),
      (deadline) => served.close({ deadline }),
    );
  },
  async "serve with Hono"(options = {}, shown = pages()) {
    const { handler, upgrades } = echo(options);
    const served = await serve({ hostname: "127.0.0.1", signals: false, fetch: appOf(handler, shown).fetch });
    return site(
      served.port,
      upgrades,
      () => served.stats(),
      (deadline) => served.close({ deadline }),
    );
  },
  async attach(options = {}, shown = pages()) {
    const { handler, upgrades } = echo(options);
    const server = applicationServer(shown).listen(0, "127.0.0.1");
    await once(server, "listening");
    const attached = attach(server, handler);
    return site(
      portOf(server),
      upgrades,
      () => attached.stats(),
      (deadline) => closeBoth(server, () => attached.close({ deadline })),
    );
  },
  async "attach with Hono"(options = {}, shown = pages()) {
    const { handler, upgrades } = echo(options);
    const server = applicationServer(shown).listen(0, "127.0.0.1");
    await once(server, "listening");
    const attached = attach(server, { fetch: appOf(handler, shown).fetch });
    return site(
      portOf(server),
      upgrades,
      () => attached.stats(),
      (deadline) => closeBoth(server, () => attached.close({ deadline })),
    );
  },
};

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

async function closeBoth(server: Server, close: () => Promise<void>): Promise<void> {
  await close();
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}

function site(port: number, upgrades: Site["upgrades"], stats: Site["stats"], close: Site["close"]): Site {
  return { port, upgrades, stats, close, [Symbol.asyncDispose]: () => close(0) };
}

export const connect = (port: number): Promise<Client> => dial({ port });

/** A plain request. */
export function get(target: string, ...more: string[]): Buffer {
  return Buffer.from(["GET " + target + " HTTP/1.1", "Host: localhost", ...more, "", ""].join("\r\n"));
}

export function handshakeOf(target: string = "/ws", headers: HeaderList = []): Buffer {
  return encodeRequest({ target, headers }, "localhost");
}

/** A handshake that the checks refuse. */
export const badHandshake: Buffer = handshakeOf("/ws", [["Sec-WebSocket-Version", "12"]]);

/** The next answer on the connection: its status, and its body. */
export async function answerOf(client: Client): Promise<string> {
  const { status } = await client.head();
  return status === 101 ? "101" : `${status} ${(await client.rest()).trim()}`;
}
