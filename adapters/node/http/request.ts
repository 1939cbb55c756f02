/** Adapts Node's IncomingMessage to the core's RequestHead. */
import type * as Http from "node:http";
import type { IncomingMessage } from "node:http";
import type { RequestHead } from "../../../src/protocol/request.ts";
import { urlAt } from "../../../src/protocol/url.ts";
import { urlOf } from "./url.ts";

/**
 * Not by `import`, which reads every export of node:http. Three of them (WebSocket and its events) load all of fetch, a third of what the garbage
 * collector then scans each time (Node 24, measured).
 */
export const http: typeof Http = process.getBuiltinModule("node:http");

/** Creating a Request costs more than all checks of a handshake, and most handshakes don't need one: `whole` creates it on first use. */
export class NodeRequest implements RequestHead {
  readonly method: string;
  readonly url: string;
  readonly headers: RequestHead["headers"];
  readonly #incoming: IncomingMessage;
  #whole: Request | undefined;

  constructor(incoming: IncomingMessage) {
    const { method = "GET", url = "/" } = incoming;
    // A Request can't have the method CONNECT, TRACE or TRACK. All methods but GET are refused in the same way.
    this.method = isForbidden(method) ? "POST" : method;
    // If the Host header is malformed, routes still need the path. The core's checks refuse a malformed Host or target later.
    this.url = urlOf(incoming) ?? urlAt("http://localhost", url) ?? url;
    this.headers = repeats(incoming) ? headersOf(incoming) : new NodeHeaders(incoming.headers);
    this.#incoming = incoming;
  }

  get fields(): number {
    return this.#incoming.rawHeaders.length / 2;
  }

  get whole(): Request {
    // An observer may read a malformed request too.
    const url = URL.canParse(this.url) ? this.url : "http://localhost/";
    return (this.#whole ??= new Request(url, { method: this.method, headers: headersOf(this.#incoming) }));
  }
}

/** Headers as in the fetch API, which joins repeated ones; Node's own object drops some of those. */
function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let index = 0; index < rawHeaders.length; index += 2) headers.append(rawHeaders[index] as string, rawHeaders[index + 1] as string);
  return headers;
}

/** Whether any header was sent more than once. */
function repeats({ headers, rawHeaders }: IncomingMessage): boolean {
  let names = 0;
  for (const _ in headers) names++;
  return names * 2 !== rawHeaders.length;
}

/** Reads Node's own headers object, if no header was sent more than once. */
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
