/** Bun's own server without topics: it sends to each socket in a loop. */
interface BunServer {
  readonly port: number;
  upgrade(request: Request, options: { data: boolean }): boolean;
}
interface BunSocket {
  readonly data: boolean;
  send(data: string | Uint8Array): number;
}
declare const Bun: { serve(options: object): BunServer };

const subscribers = new Set<BunSocket>();

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch(request: Request, native: BunServer) {
    return native.upgrade(request, { data: request.url.endsWith("/pub") }) ? undefined : new Response(null, { status: 426 });
  },
  websocket: {
    idleTimeout: 0,
    sendPings: false,
    open(ws: BunSocket) {
      if (!ws.data) subscribers.add(ws);
    },
    message(_: BunSocket, data: string | Uint8Array) {
      for (const ws of subscribers) ws.send(data);
    },
  },
});
console.log(`LISTEN ${server.port}`);
