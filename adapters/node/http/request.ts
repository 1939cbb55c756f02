/** What a request of Node's is to the core. */
import type * as Http from "node:http";
import type { IncomingMessage } from "node:http";
import type { RequestHead } from "../../../src/protocol/request.ts";
import { urlAt } from "../../../src/protocol/url.ts";
import { urlOf } from "./url.ts";

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
    const { method = "GET", url = "/" } = incoming;
    // CONNECT, TRACE and TRACK can't be in a Request; any method but GET is refused alike.
    this.method = isForbidden(method) ? "POST" : method;
    // At its path at least, for routes; the core's checks find a malformed Host, and what is no target.
    this.url = urlOf(incoming) ?? urlAt("http://localhost", url) ?? url;
    this.headers = repeats(incoming) ? headersOf(incoming) : new NodeHeaders(incoming.headers);
    this.#incoming = incoming;
  }

  get fields(): number {
    return this.#incoming.rawHeaders.length / 2;
  }

  get whole(): Request {
    // An observer may ask for a malformed one too.
    const url = URL.canParse(this.url) ? this.url : "http://localhost/";
    return (this.#whole ??= new Request(url, { method: this.method, headers: headersOf(this.#incoming) }));
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
