/** Deno's own server, which also reads what the contract needs from each connection, without using it. */
import { headersOf } from "../../adapters/deno/headers.ts";

interface DenoSocket extends EventTarget {
  binaryType: string;
  send(data: string | ArrayBuffer): void;
}
declare const Deno: {
  serve(
    options: object,
    handler: (request: Request, info: { readonly remoteAddr: { readonly hostname: string } }) => Response,
  ): { readonly addr: { readonly port: number } };
  upgradeWebSocket(request: Request, options: { idleTimeout: number }): { socket: DenoSocket; response: Response };
};

class Asked {
  readonly #socket: DenoSocket;
  readonly id: string = crypto.randomUUID();
  readonly url: string;
  readonly address: string;
  /** Size of the head, which Deno does not limit. */
  readonly bytes: number;
  closed: number | undefined;

  constructor(socket: DenoSocket, url: string, address: string, bytes: number) {
    this.#socket = socket;
    this.url = url;
    this.address = address;
    this.bytes = bytes;
  }

  handleEvent(event: { readonly type: string; readonly data?: string | ArrayBuffer; readonly code?: number }): void {
    if (event.data !== undefined) this.#socket.send(event.data);
    else if (event.type === "close") this.closed = event.code;
  }
}

const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request, { remoteAddr }) => {
  const { hostname } = remoteAddr;
  let bytes = request.url.length + request.method.length;
  for (const [name, value] of headersOf(request)) bytes += name.length + value.length;
  const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 60 });
  socket.binaryType = "arraybuffer";
  const asked = new Asked(socket, request.url, hostname, bytes);
  // The client may leave before the 101 is sent.
  const open = (): void => {
    for (const type of ["message", "close", "error"]) socket.addEventListener(type, asked);
  };
  socket.addEventListener("open", open, { once: true });
  return response;
});
console.log(`LISTEN ${server.addr.port}`);
