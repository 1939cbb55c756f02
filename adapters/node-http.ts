/** Between Node's HTTP messages of an `upgrade` event and the fetch API's. */
import type * as Http from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { RequestHead } from "../src/request.ts";
import { urlOf } from "./node-url.ts";

/**
 * Not by `import`, which reads every export: three of Node's are the WebSocket of fetch and its events, and bring in the whole of fetch, a
 * third of what the garbage collector then goes through each time (Node 24, measured).
 */
export const http: typeof Http = process.getBuiltinModule("node:http");

/** A request of Node's. Making a Request of it costs more than all checks of a handshake, whose result most often is all that is wanted. */
export class NodeRequest implements RequestHead {
  readonly method: string;
  readonly url: string;
  readonly headers: RequestHead["headers"];
  readonly #incoming: IncomingMessage;
  #whole: Request | undefined;

  constructor(incoming: IncomingMessage) {
    const { method = "GET", url = "/", headers, socket } = incoming;
    // CONNECT, TRACE and TRACK can't be in a Request; any method but GET is refused alike.
    this.method = isForbidden(method) ? "POST" : method;
    this.url = urlOf((socket as TLSSocket).encrypted ? "https" : "http", headers.host ?? "localhost", url);
    this.headers = repeats(incoming) ? headersOf(incoming) : new NodeHeaders(incoming.headers);
    this.#incoming = incoming;
  }

  get whole(): Request {
    return (this.#whole ??= new Request(this.url, { method: this.method, headers: headersOf(this.#incoming) }));
  }
}

/** As the fetch API has them, repeated ones joined: Node itself drops some of those. */
function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let index = 0; index < rawHeaders.length; index += 2) headers.append(rawHeaders[index] as string, rawHeaders[index + 1] as string);
  return headers;
}

/** Whether a header came more than once. */
function repeats({ headers, rawHeaders }: IncomingMessage): boolean {
  let names = 0;
  for (const _ in headers) names++;
  return names * 2 !== rawHeaders.length;
}

/** Node's own object of headers that came once each. */
class NodeHeaders {
  readonly #headers: IncomingMessage["headers"];

  constructor(headers: IncomingMessage["headers"]) {
    this.#headers = headers;
  }

  get(name: string): string | null {
    return (this.#headers[name] as string | undefined) ?? null;
  }

  has(name: string): boolean {
    return this.#headers[name] !== undefined;
  }
}

function isForbidden(method: string): boolean {
  return method === "CONNECT" || method === "TRACE" || method === "TRACK";
}

export function addressOf(incoming: IncomingMessage): string {
  const address = incoming.socket.remoteAddress ?? "";
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}

/** Answers an `upgrade` event with an ordinary response, then closes: Node has let go of the socket's HTTP. */
export function answer(incoming: IncomingMessage, socket: Duplex, response: Response): void {
  if (socket.destroyed) return;
  const outgoing = new http.ServerResponse(incoming);
  outgoing.shouldKeepAlive = false;
  outgoing.assignSocket(socket as TLSSocket);
  // Nobody reads the socket any more: an unread byte would hide the client's FIN, and the descriptor would stay for good.
  socket.resume();
  // Ended, then given time to go: destroyed at once, with bytes unread, TCP is reset and the answer may be lost.
  outgoing.on("finish", () => {
    socket.end();
    (socket as TLSSocket).setTimeout(linger, () => socket.destroy());
  });
  write(outgoing, response);
}

/** Milliseconds of silence after which a refused client that keeps its end open is let go. */
const linger = 2000;

export function write(outgoing: ServerResponse, response: Response): void {
  outgoing.statusCode = response.status;
  if (response.statusText !== "") outgoing.statusMessage = response.statusText;
  outgoing.setHeaders(response.headers);
  if (response.body === null) outgoing.end();
  else
    Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0])
      .on("error", () => outgoing.destroy())
      .pipe(outgoing);
}
