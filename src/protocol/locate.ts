/** Where a request is, to its client: the URL that hooks and `fetch` see. */
import type { Forwarded } from "./forwarded.ts";
import { fieldCount, fieldOf, wholeOf } from "./request.ts";
import type { RequestHead } from "./request.ts";
import { originAt, originOf, schemeOf, urlAt } from "./url.ts";

/** What stands in a URL for a host that the request does not name. */
const nowhere = "localhost";

/** How a runtime's requests come. */
export interface Addressing {
  /** A request may have been made by `fetch` in the platform, without a Host header: its URL is what that caller says. */
  readonly byFetch?: boolean;
  /** The scheme, where a request's URL may have that of an absolute-form target, which is the client's word. */
  readonly scheme?: "http" | "https" | undefined;
}

/**
 * The request at the URL that its client asked for: one that `new URL` takes and would write in the same way. Its host is the one that the Host
 * header names, or a trusted proxy. Undefined where that header or the request's target is malformed. An absolute-form target names a host
 * too, which Bun and workerd don't show: it counts nowhere.
 */
export function locate(
  request: RequestHead,
  { byFetch, scheme = schemeOf(request.url) }: Addressing,
  client?: Forwarded,
): RequestHead | undefined {
  const host = fieldOf(request, "host");
  const named = host === undefined ? undefined : originAt(scheme, host);
  if (host !== undefined && named === undefined) return undefined;
  // Deno has its own address where a request names no host, and what HTTP/2 names; Bun a path alone.
  const own = byFetch === true || host === undefined ? originOf(request.url) : named;
  if (own === undefined && byFetch === true) return undefined;
  const origin = own ?? `${scheme}://${nowhere}`;
  const url = urlAt(client === undefined ? origin : clientsOrigin(client, origin), request.url);
  return url === undefined ? undefined : movedTo(url, request);
}

function clientsOrigin({ scheme, host }: Forwarded, own: string): string {
  if (scheme === undefined && host === undefined) return own;
  return originAt(scheme ?? schemeOf(own), host ?? own.slice(own.indexOf("//") + 2)) ?? own;
}

/** A request of a malformed URL, for an observer: at a URL that can be read all the same. */
export function readable(request: RequestHead): RequestHead {
  return movedTo(`http://${nowhere}/`, request);
}

function movedTo(url: string, request: RequestHead): RequestHead {
  return url === request.url ? request : new Moved(url, request);
}

/** A request that is at another URL. */
class Moved implements RequestHead {
  readonly method: string;
  readonly url: string;
  readonly headers: RequestHead["headers"];
  readonly fields: number;
  readonly #request: RequestHead;
  #whole: Request | undefined;

  constructor(url: string, request: RequestHead) {
    this.method = request.method;
    this.url = url;
    this.headers = request.headers;
    this.fields = fieldCount(request);
    this.#request = request;
  }

  get whole(): Request {
    return (this.#whole ??= new Request(this.url, wholeOf(this.#request)));
  }
}
