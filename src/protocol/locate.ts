/** Where a request is as its client sees it: the URL that hooks and `fetch` get. */
import type { Forwarded } from "./forwarded.ts";
import { fieldCount, fieldOf, requestAt } from "./request.ts";
import type { RequestHead } from "./request.ts";
import { originAt, originOf, schemeOf, urlAt } from "./url.ts";

/** The host in the URL of a request that names none. */
const nowhere = "localhost";

/** What a runtime's requests are like. */
export interface Addressing {
  /** A request may come from `fetch` inside the platform, without a Host header: then its URL is the caller's. */
  readonly byFetch?: boolean;
  /** The scheme, if a request's URL could take it from an absolute-form target, which the client chooses. */
  readonly scheme?: "http" | "https" | undefined;
}

/**
 * Returns the request at the URL that its client asked for, in the form that `new URL` writes. The host comes from the Host
 * header, or from a trusted proxy. Undefined if that header or the request's target is malformed. An absolute-form target also names a host;
 * Bun and workerd don't expose it, so it is ignored everywhere.
 */
export function locate(
  request: RequestHead,
  { byFetch, scheme = schemeOf(request.url) }: Addressing,
  client?: Forwarded,
): RequestHead | undefined {
  const host = fieldOf(request, "host");
  const named = host === undefined ? undefined : originAt(scheme, host);
  if (host !== undefined && named === undefined) return undefined;
  // If a request names no host, Deno shows its own address, or the host that HTTP/2 names; Bun shows only a path.
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

/** For an observer: a request with a malformed URL, at a URL that can be read. */
export function readable(request: RequestHead): RequestHead {
  return movedTo(`http://${nowhere}/`, request);
}

function movedTo(url: string, request: RequestHead): RequestHead {
  return url === request.url ? request : new Moved(url, request);
}

/** A request at another URL. */
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
    return (this.#whole ??= requestAt(this.url, this.#request));
  }
}
