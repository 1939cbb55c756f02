/**
 * Reads a request's headers without caching them on the request. When headers are iterated, Deno caches two lists of pairs on the Headers object, and
 * it keeps the request as long as its WebSocket. For the five headers of a handshake that is 1.4 KiB for each connection, more for a browser's
 * (ext/fetch/20_headers.js, ext/http/02_websocket.ts; bench/, mode idle).
 */
type Pairs = Iterable<readonly [name: string, value: string]>;

/** The headers as sent: names in any case, possibly repeated. */
export function headersOf({ headers }: Request): Pairs {
  let first: unknown;
  const keeper: ProxyHandler<Headers> = {
    // Intercepts what Deno would cache on the Headers object. The first value is the list of pairs.
    set(_headers, _key, value) {
      first ??= value;
      return true;
    },
  };
  try {
    new Proxy(headers, keeper).has("expect");
  } catch {
    // On other runtimes a proxy can't access the private fields of a Headers object.
  }
  return isPairs(first) ? first : headers;
}

function isPairs(value: unknown): value is readonly [string, string][] {
  return Array.isArray(value) && Array.isArray(value[0]) && value[0].length === 2;
}
