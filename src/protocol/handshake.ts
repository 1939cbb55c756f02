/**
 * The server's side of the opening handshake (RFC 6455 section 4.2), the same on every runtime: the runtimes
 * themselves disagree on most malformed requests. Synchronous: a handshake that awaits nothing creates no promise.
 */
import { isPromise } from "../values/promise.ts";
import type { HostRule } from "./hosts.ts";
import type { OriginRule } from "./origin.ts";
import { refuseOrigin } from "./origin.ts";
import { ReadHead, fieldCount, fieldOf, wholeOf } from "./request.ts";
import type { RequestHead } from "./request.ts";
import { isToken } from "../values/text.ts";
import { schemeOf } from "./url.ts";
import { quoted, warn } from "../values/log.ts";
import type { MaybePromise } from "../api/connection.ts";
import { refuse } from "./refusal.ts";

/** 16 bytes in base64: 22 characters and the padding. */
const key = /^[A-Za-z0-9+/]{22}==$/;

/**
 * Whether a request asks for a WebSocket, correctly or not: then `serve` passes it to the handler, and otherwise to `fetch`. For a Worker
 * that does both: `wantsWebSocket(request) ? sockets.fetch(request, env, ctx) : app.fetch(request, env, ctx)`.
 */
export function wantsWebSocket(request: { readonly headers: { get(name: string): string | null } }): boolean {
  return hasToken(request.headers.get("upgrade"), "websocket");
}

/** Whether the Upgrade header lists other protocols too, or repeats this one (RFC 9110 section 7.8 allows a list). */
export function isList(request: RequestHead): boolean {
  return wantsWebSocket(request) && request.headers.get("upgrade")?.length !== "websocket".length;
}

/** The refusal of such a list, for a runtime that does not accept one. */
export function refuseList(): Response {
  return upgradeRequired('the Upgrade header must be "websocket" alone');
}

/** The request with its head read, or a refusal if the head is larger than Node and Bun, which check it themselves, accept. */
export function readHead(
  request: RequestHead,
  headersOf?: (request: Request) => Iterable<readonly [name: string, value: string]>,
): RequestHead | Response {
  const head = request instanceof ReadHead ? request : new ReadHead(wholeOf(request), headersOf?.(wholeOf(request)));
  return head.bytes > maxHead ? refuse(431, `the request's head is larger than ${maxHead} bytes`) : head;
}

/** The refusal of a request whose Host or target is missing, malformed or ambiguous. */
export function refuseHost(): Response {
  return refuse(400, "the Host header must be a host and an optional port, once, and the request target a path or a URL");
}

/** What a handshake is checked against. */
export interface HandshakeRules {
  readonly origins: OriginRule;
  readonly hosts: HostRule | undefined;
  readonly protocols: readonly string[];
  readonly requireProtocol: boolean;
}

/**
 * Returns the subprotocols that the client offers, or the refusal. The request already has its final URL (`locate`).
 * @param host the server's host as the client sees it.
 * @param byFetch whether the request may come from `fetch` inside the platform, without a wire.
 */
export function checkHandshake(
  request: RequestHead,
  rules: HandshakeRules,
  { host, byFetch }: { readonly host: string | undefined; readonly byFetch: boolean },
): Response | readonly string[] {
  if (host === undefined) return refuseHost();
  if (request.method !== "GET") return refuse(405, "a WebSocket handshake is a GET", { allow: "GET" });
  // workerd upgrades a request that announces a body and waits for 100, and then never learns that the client has left.
  if (fieldOf(request, "expect") !== undefined) return refuse(417, "a WebSocket handshake has no body to wait for");
  // The bytes after the request are frames; as a body they would be lost, and Deno itself answers 400.
  if ((fieldOf(request, "content-length") ?? "0") !== "0" || fieldOf(request, "transfer-encoding") !== undefined) {
    return refuse(400, "a WebSocket handshake has no body");
  }
  if (fieldCount(request) > maxFields) return refuse(431, `the request has more than ${maxFields} headers`);
  if (request.url.length > maxUrl) return refuse(414, `the URL is longer than ${maxUrl} bytes`);
  if (!wantsWebSocket(request)) return upgradeRequired("this is a WebSocket endpoint: it needs Upgrade: websocket");
  const wrong = byFetch && !ofWire.some((name) => fieldOf(request, name) !== undefined) ? undefined : checkWire(request);
  if (wrong !== undefined) return wrong;
  const offered = parseProtocols(fieldOf(request, "sec-websocket-protocol"));
  if (offered === undefined) return refuse(400, "Sec-WebSocket-Protocol must be a list of distinct tokens");
  if (rules.hosts?.(host, schemeOf(request.url)) === false) {
    warn("421", `421: Host ${quoted(host)} is not in option "hosts" [EW215]`);
    return refuse(421, "this server does not answer for that host", {}, "hosts");
  }
  return offered;
}

/** Refuses a page that may not connect, or a client that offers no known subprotocol. A promise if the rule for origins returns one. */
export function checkOrigin(
  request: RequestHead,
  rules: HandshakeRules,
  host: string,
  offered: readonly string[],
): MaybePromise<Response | undefined> {
  const refused = (foreign: string | undefined): Response | undefined => {
    if (foreign !== undefined) {
      warn("403", `403: ${foreign} [EW216]`);
      return refuse(403, "this origin may not connect", {}, "origins");
    }
    if (!rules.requireProtocol || rules.protocols.some((protocol) => offered.includes(protocol))) return undefined;
    return refuse(400, `Sec-WebSocket-Protocol must offer one of: ${rules.protocols.join(", ")}`, {}, "requireProtocol");
  };
  const foreign = refuseOrigin(request, rules.origins, host);
  return isPromise(foreign) ? foreign.then(refused) : refused(foreign);
}

/** Headers of every handshake that came over a wire. */
const ofWire = ["connection", "sec-websocket-version", "sec-websocket-key"] as const;

function checkWire(request: RequestHead): Response | undefined {
  if (!hasToken(fieldOf(request, "connection"), "upgrade")) return refuse(400, "the Connection header lacks upgrade");
  if (fieldOf(request, "sec-websocket-version") !== "13") return upgradeRequired("Sec-WebSocket-Version must be 13");
  if (!key.test(fieldOf(request, "sec-websocket-key") ?? "")) return refuse(400, "Sec-WebSocket-Key must be 16 bytes in base64, once");
  return undefined;
}

function upgradeRequired(message: string): Response {
  // RFC 9110 section 15.5.22 requires Upgrade with a 426, RFC 6455 section 4.4 the version.
  return refuse(426, message, { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" });
}

function hasToken(list: string | null | undefined, wanted: string): boolean {
  if (list === null || list === undefined) return false;
  // Most clients send just the token.
  if (list.length === wanted.length) return list.toLowerCase() === wanted;
  return list.split(",").some((one) => one.trim().toLowerCase() === wanted);
}

function parseProtocols(list: string | undefined): readonly string[] | undefined {
  if (list === undefined) return [];
  const offered = list.split(",").map((one) => one.trim());
  return offered.every(isToken) && new Set(offered).size === offered.length ? offered : undefined;
}

/** RFC 9110 section 4.1 asks for at least 8000 octets; more than this is a 414. */
export const maxUrl: number = 8 * 1024;

/** Node's and Bun's limit for a request before its body; they answer 431 above it. */
export const maxHead: number = 16 * 1024;

/** Headers of a handshake. The runtimes accept 128, 198, 1000 or any number; Apache accepts 100. */
export const maxFields: number = 100;

/** Set by the handshake itself, or meaningless on a 101. */
export function isHandshakeHeader(name: string): boolean {
  return (
    name === "connection" ||
    name === "upgrade" ||
    name === "content-length" ||
    name === "transfer-encoding" ||
    name.startsWith("sec-websocket-")
  );
}
