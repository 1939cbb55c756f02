/** The handshake's request, the same in a page as on a server. */
import type { AnyVars, HeadersInput } from "../../src/api/handler.ts";
import type { Movable } from "../../src/protocol/request.ts";

/** What `connect` takes besides the URL. */
export interface ConnectOptions<Vars = AnyVars> {
  /** Headers of the handshake; they override the default ones. Default: none. */
  readonly headers?: HeadersInput;
  /** Subprotocols to offer. Default: none. */
  readonly protocols?: readonly string[];
  /** The client's address. Default: `"127.0.0.1"`. */
  readonly remoteAddress?: string;
  /** What the middleware of a Hono app would have set: `vars` of the `upgrade` hook's context. Default: none. */
  readonly vars?: Vars;
}

export function handshakeRequest(url: string, { headers: given, protocols = [] }: ConnectOptions): Request {
  const headers = new Headers({
    host: new URL(url).host,
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  });
  if (protocols.length > 0) headers.set("sec-websocket-protocol", protocols.join(", "));
  for (const [name, value] of new Headers(given)) headers.set(name, value);
  const request = new Request(url.replace(/^ws/, "http"), { headers });
  return Array.from(headers.keys()).every((name) => request.headers.has(name)) ? request : withHeaders(request, headers);
}

/** A page's Request drops, without a word, the headers that only a browser may set: Host, Upgrade, Cookie, Origin, Sec-*. */
function withHeaders(request: Request, headers: Headers): Request {
  const again = (url: string): Request => withHeaders(new Request(url), new Headers(headers));
  const movable: Movable = { at: again };
  return Object.defineProperties(request, {
    headers: { value: headers },
    clone: { value: () => again(request.url) },
    at: { value: movable.at },
  });
}
