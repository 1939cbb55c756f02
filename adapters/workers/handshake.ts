/** What workerd's handshakes are asked, and the 101, on a plain Worker and on a Durable Object alike. */
import { refuse } from "../../src/protocol/refusal.ts";
import type { Settings } from "../../src/handler/settings.ts";
import type { Server } from "../../src/server/server.ts";
import type { Accepted } from "../../src/server/runtime.ts";
import type { NativeSocket } from "./types.ts";

/** Cloudflare's edge sets it, and replaces what a client sent. Bare workerd has no edge: there it is what the client says, or "". */
export function addressOf(request: Request): string {
  return request.headers.get("cf-connecting-ip") ?? "";
}

/** Whether the client offers a compression that the handler doesn't want. Where it offers none, 1.4 of 5 us for the 101 are not spent. */
export function declinesCompression(request: Request, { compression }: Settings): boolean {
  return !compression && request.headers.has("sec-websocket-extensions");
}

/** Whether the client has reset since it asked. workerd tells from compatibility date 2026-11-17 on, or with the flag enable_request_signal; never of a FIN. */
export function hasLeft(request: Request): boolean {
  return (request as { readonly signal?: AbortSignal }).signal?.aborted === true;
}

/** For a client that has left: nobody reads it. */
export function forget(server: Server, accepted: Accepted): Response {
  server.abandon(accepted);
  return refuse(400, "the client has left");
}

/** The 101. */
export function switchingProtocols(webSocket: NativeSocket, { snapshot, headers }: Accepted, declines: boolean): Response {
  const own: Record<string, string> = {};
  if (snapshot.protocol !== "") own["sec-websocket-protocol"] = snapshot.protocol;
  // workerd agrees on permessage-deflate by itself unless the Worker's 101 names the extensions to agree on; the header
  // is a preference that never reaches the client (workerd, src/workerd/api/http.c++, Response::send; measured).
  if (declines) own["sec-websocket-extensions"] = "none";
  return new Response(null, { status: 101, headers: headers === undefined ? own : added(headers, own), webSocket } as ResponseInit);
}

/** Only where there are any: Headers cost a fourteenth of a connection (workerd, bench/). */
function added(headers: Headers, own: Record<string, string>): Headers {
  const all = new Headers(headers);
  for (const name in own) all.set(name, own[name] as string);
  return all;
}
