/** An accepted handshake on its way from the Worker to its room's object: in the Request's `cf`, which no client can set. */
import { decode, encode } from "../../src/values/codec.ts";
import type { Snapshot } from "../../src/ports.ts";

/**
 * What the object can't know by itself. A tuple, and short: workerd makes JSON of it for each handshake, and an object out of that again.
 */
export type Forwarded = readonly [
  binding: string,
  /** Whether the object is to say whose it is. */
  asked: boolean,
  /** See `declinesCompression`: the object need not look at a header. */
  declines: boolean,
  id: string,
  room: string,
  protocol: string,
  remoteAddress: string,
  version: number,
  state: string,
  expiresAt?: number | null,
  /** Where it is not the request's own, which is the same on both sides. */
  url?: string,
];

export function pack(
  binding: string,
  { asked, declines }: { readonly asked: boolean; readonly declines: boolean },
  { id, room, url, protocol, remoteAddress, version, state, expiresAt }: Snapshot,
  requestUrl: string,
): Forwarded {
  const forwarded = [binding, asked, declines, id, room, protocol, remoteAddress, version, encode(state)] as const;
  if (url !== requestUrl) return [...forwarded, expiresAt ?? null, url];
  return expiresAt === undefined ? forwarded : [...forwarded, expiresAt];
}

/** @param requestUrl of the request that brought it. */
export function unpack(forwarded: Forwarded, requestUrl: string): Snapshot {
  const [, , , id, room, protocol, remoteAddress, version, state, expiresAt = null, url = requestUrl] = forwarded;
  const snapshot: Snapshot = { id, room, url, protocol, remoteAddress, version, state: decode(state), topics: [], phase: "open" };
  return expiresAt === null ? snapshot : { ...snapshot, expiresAt };
}

/** The request for the object. */
export function forwarding(request: Request, edgewire: Forwarded): { readonly cf: object } {
  const { cf } = request as { readonly cf?: object };
  return { cf: { ...cf, edgewire } };
}

/** What a Worker has forwarded; undefined for a request that nobody has looked at yet. */
export function forwardedOf(request: Request): Forwarded | undefined {
  return (request as { readonly cf?: { readonly edgewire?: Forwarded } }).cf?.edgewire;
}
