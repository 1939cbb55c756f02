/** The absolute URL of a Node request, as in a fetch API Request. */
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { originAt, urlAt } from "../../../src/protocol/url.ts";
import type { Scheme } from "../../../src/protocol/url.ts";

/** Undefined if the Host header or the request target is malformed, or the Host header is repeated. */
export function urlOf({ socket, headers, rawHeaders, url = "/" }: IncomingMessage): string | undefined {
  if (isRepeated("host", rawHeaders)) return undefined;
  const scheme: Scheme = (socket as TLSSocket).encrypted ? "https" : "http";
  const origin = originAt(scheme, headers.host || "localhost");
  return origin === undefined ? undefined : urlAt(origin, url);
}

/** Node keeps only the first of several Host headers in `headers`. */
function isRepeated(name: string, rawHeaders: readonly string[]): boolean {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const one = rawHeaders[index] as string;
    if (one.length === name.length && one.toLowerCase() === name) count++;
  }
  return count > 1;
}
