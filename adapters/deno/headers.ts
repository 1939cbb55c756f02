/**
 * A request's headers, read so that nothing of them stays on it. Deno keeps what it makes for an iteration, two lists of pairs, on the
 * Headers object, and the request for as long as its WebSocket: 1.4 KiB a connection for the five headers of a handshake, more for a
 * browser's (ext/fetch/20_headers.js, ext/http/02_websocket.ts; bench/, mode idle).
 */
type Pairs = Iterable<readonly [name: string, value: string]>;

/** As they came: names in any case, and one more than once. */
export function headersOf({ headers }: Request): Pairs {
  let first: unknown;
  const keeper: ProxyHandler<Headers> = {
    // What would be kept on the headers, of which the first is the list of pairs.
    set(_headers, _key, value) {
      first ??= value;
      return true;
    },
  };
  try {
    new Proxy(headers, keeper).has("expect");
  } catch {
    // Fields that only a Headers object itself has, as other runtimes have them, are not reached through a proxy.
  }
  return isPairs(first) ? first : headers;
}

function isPairs(value: unknown): value is readonly [string, string][] {
  return Array.isArray(value) && Array.isArray(value[0]) && value[0].length === 2;
}
