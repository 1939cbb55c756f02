/** Bun's own server, which also reads what the contract needs from each connection, without using it. */
interface BunServer {
  readonly port: number;
  requestIP(request: Request): { readonly address: string } | null;
  upgrade(request: Request, options: { data: Asked }): boolean;
}
interface Asked {
  readonly id: string;
  readonly url: string;
  readonly method: string;
  readonly address: string | undefined;
  closed: number | undefined;
}
interface BunSocket {
  readonly data: Asked;
  binaryType: string;
  send(data: string | Uint8Array): number;
}
declare const Bun: { serve(options: object): BunServer };

/** What the checks of a handshake read. Bun itself limits the head. */
const checked =
  "connection upgrade expect content-length transfer-encoding host origin sec-websocket-key sec-websocket-version sec-websocket-protocol".split(
    " ",
  );

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch(request: Request, native: BunServer) {
    const { headers, url, method } = request;
    for (const name of checked) headers.get(name);
    // Declines the browser's offer of compression.
    headers.delete("sec-websocket-extensions");
    const address = native.requestIP(request)?.address;
    const data = { id: crypto.randomUUID(), url, method, address, closed: undefined };
    return native.upgrade(request, { data }) ? undefined : new Response(null, { status: 426 });
  },
  websocket: {
    idleTimeout: 0,
    sendPings: false,
    perMessageDeflate: true,
    open(ws: BunSocket) {
      ws.binaryType = "uint8array";
    },
    message: (ws: BunSocket, data: string | Uint8Array) => void ws.send(data),
    drain() {},
    ping() {},
    pong() {},
    close(ws: BunSocket, code: number) {
      ws.data.closed = code;
    },
  },
});
console.log(`LISTEN ${server.port}`);
