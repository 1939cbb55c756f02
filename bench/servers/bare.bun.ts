/** Bun's own server with native topics. */
const fanout = process.argv[2] === "fanout";

interface BunServer {
  readonly port: number;
  upgrade(request: Request, options: { data: boolean }): boolean;
  publish(topic: string, data: string | Uint8Array): number;
}
interface BunSocket {
  readonly data: boolean;
  send(data: string | Uint8Array): number;
  subscribe(topic: string): void;
}
declare const Bun: { serve(options: object): BunServer };

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
      if (fanout && !ws.data) ws.subscribe("t");
    },
    message(ws: BunSocket, data: string | Uint8Array) {
      if (fanout) server.publish("t", data);
      else ws.send(data);
    },
  },
});
console.log(`LISTEN ${server.port}`);
