/** A plain Worker that also reads what the contract needs from each connection, without using it. */
interface Half {
  readonly readyState: number;
  binaryType: string;
  accept(): void;
  send(data: string | ArrayBuffer): void;
  addEventListener(type: "message" | "close" | "error", listener: Asked): void;
}
declare const WebSocketPair: new () => [Half, Half];

interface Told {
  readonly type: string;
  readonly data?: string | ArrayBuffer;
  readonly code?: number;
  readonly reason?: string;
  readonly wasClean?: boolean;
}

class Asked {
  readonly #ws: Half;
  /** Needed by asynchronous hooks, and by `terminate`. */
  readonly context: object;
  readonly id: string = crypto.randomUUID();
  readonly url: string;
  readonly address: string;
  closed: Told | undefined;

  constructor(ws: Half, context: object, url: string, address: string) {
    this.#ws = ws;
    this.context = context;
    this.url = url;
    this.address = address;
  }

  handleEvent(event: Told): void {
    if (event.data !== undefined) return this.#ws.send(event.data);
    const { type, code, reason, wasClean } = event;
    if (type === "close" && this.#ws.readyState !== 0) this.closed = { type, code, reason, wasClean } as Told;
  }
}

export default {
  fetch(request: Request, _: object, context: object): Response {
    const { url, method, headers } = request;
    const fields: string[] = [method];
    headers.forEach((value, name) => fields.push(name, value));
    const address = headers.get("cf-connecting-ip") ?? "";
    // Declines the browser's offer of compression.
    const own: Record<string, string> = headers.has("sec-websocket-extensions") ? { "sec-websocket-extensions": "none" } : {};
    const { 0: client, 1: server } = new WebSocketPair();
    server.binaryType = "arraybuffer";
    server.accept();
    const asked = new Asked(server, context, url, address);
    for (const type of ["message", "close", "error"] as const) server.addEventListener(type, asked);
    return new Response(null, { status: 101, headers: own, webSocket: client } as ResponseInit);
  },
};
