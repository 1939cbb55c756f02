/** The URL that a request of Node's asked for, as a Request has it. */
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { originAt, urlAt } from "../../../src/protocol/url.ts";
import type { Scheme } from "../../../src/protocol/url.ts";

/** Undefined where the Host header or the target is malformed. */
export function urlOf({ socket, headers, rawHeaders, url = "/" }: IncomingMessage): string | undefined {
  if (isRepeated("host", rawHeaders)) return undefined;
  const scheme: Scheme = (socket as TLSSocket).encrypted ? "https" : "http";
  const origin = originAt(scheme, headers.host || "localhost");
  return origin === undefined ? undefined : urlAt(origin, url);
}

/** Of several Host headers Node itself keeps the first. */
function isRepeated(name: string, rawHeaders: readonly string[]): boolean {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const one = rawHeaders[index] as string;
    if (one.length === name.length && one.toLowerCase() === name) count++;
  }
  return count > 1;
}
