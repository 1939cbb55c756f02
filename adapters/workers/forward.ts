/** Passes an accepted handshake from the Worker to the room's object, in the Request's `cf`, which no client can set. */
import { decode, encode } from "../../src/values/codec.ts";
import type { Snapshot } from "../../src/ports.ts";
import type { Opening, OpeningDelivery } from "../../src/server/runtime.ts";

/** What the object can't know by itself. A short tuple, because workerd serializes and parses it as JSON for each handshake. */
export type Forwarded = readonly [
  binding: string,
  /** Whether the object must name its binding in the response. */
  identify: boolean,
  /** See `declinesCompression`. Sent along, so that the object need not read the header. */
  declines: boolean,
  id: string,
  room: string,
  protocol: string,
  remoteAddress: string,
  version: number,
  state: string,
  expiresAt?: number | null,
  /** Only if it differs from the request's URL, which the object knows. */
  url?: string | null,
  positions?: string | null,
  delivery?: OpeningDelivery,
];

export function pack(
  binding: string,
  { identify, declines }: { readonly identify: boolean; readonly declines: boolean },
  { snapshot, positions, delivery }: Opening,
  requestUrl: string,
): Forwarded {
  const { id, room, url, protocol, remoteAddress, version, state, expiresAt } = snapshot;
  const forwarded = [binding, identify, declines, id, room, protocol, remoteAddress, version, encode(state)] as const;
  const ownUrl = url === requestUrl ? null : url;
  if (delivery !== undefined) return [...forwarded, expiresAt ?? null, ownUrl, positions ?? null, delivery];
  if (positions !== undefined) return [...forwarded, expiresAt ?? null, ownUrl, positions];
  if (ownUrl !== null) return [...forwarded, expiresAt ?? null, ownUrl];
  return expiresAt === undefined ? forwarded : [...forwarded, expiresAt];
}

/** @param requestUrl of the request that carried `forwarded`. */
export function unpack(forwarded: Forwarded, requestUrl: string): Opening {
  const [, , , id, room, protocol, remoteAddress, version, state, expiresAt = null, ownUrl = null, positions = null, delivery] = forwarded;
  const url = ownUrl ?? requestUrl;
  const snapshot: Snapshot = { id, room, url, protocol, remoteAddress, version, state: decode(state), topics: [], phase: "open" };
  return {
    snapshot: expiresAt === null ? snapshot : { ...snapshot, expiresAt },
    ...(positions === null ? {} : { positions }),
    ...(delivery === undefined ? {} : { delivery }),
  };
}

/** The options of the request to the object. */
export function forwarding(request: Request, edgewire: Forwarded): { readonly cf: object } {
  const { cf } = request as { readonly cf?: object };
  return { cf: { ...cf, edgewire } };
}

/** What a Worker has forwarded; undefined if no Worker of ours has handled the request. */
export function forwardedOf(request: Request): Forwarded | undefined {
  return (request as { readonly cf?: { readonly edgewire?: Forwarded } }).cf?.edgewire;
}
