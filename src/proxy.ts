/** Which proxies are believed, and what they say of a request: the client's address, and the host that it asked for. */
import { isIn, parseAddress, parseForwarded, parseNetwork } from "./address.ts";
import type { RequestHead } from "./request.ts";
import { ownText, show } from "./text.ts";

/** Whether the machine with this address, `hops` machines away from this server (0 is the one that connected), is a proxy to believe. */
export type ProxyRule = (address: string, hops: number) => boolean;

export interface Forwarded {
  /** The first address from this server's end that is no trusted proxy's. */
  readonly address: string;
  /** What the outermost trusted proxy says that the client asked for; null where none says anything. */
  readonly host: string | null;
}

/** A chain is not longer than that. */
const maxHops = 32;

/** @throws TypeError, RangeError for anything that is not a boolean, a number of proxies or a list of addresses and networks. */
export function compileProxies(name: string, value: unknown): ProxyRule {
  if (value === false) return () => false;
  if (value === true) return (_, hops) => hops < 1;
  if (typeof value === "number") {
    if (!Number.isInteger(value) || value < 1 || value > maxHops)
      throw new RangeError(`option "${name}" is ${value}: a number of proxies is from 1 to ${maxHops}`);
    return (_, hops) => hops < value;
  }
  if (!Array.isArray(value) || value.length === 0) {
    throw new TypeError(`option "${name}" must be true or false, a number of proxies, or a list of their addresses like ["10.0.0.0/8"]`);
  }
  const networks = value.map((one: unknown) => {
    const network = typeof one === "string" ? parseNetwork(one) : undefined;
    if (network !== undefined) return network;
    throw new TypeError(
      `option "${name}" has ${show(one)}: must be an IP address or a network like "10.0.0.0/8" or "2001:db8::/32", without bits set beyond its length`,
    );
  });
  return (address) => {
    const bytes = parseAddress(address);
    return bytes !== undefined && networks.some((network) => isIn(bytes, network));
  };
}

/**
 * Follows X-Forwarded-For from its right end, where the nearest proxy wrote: what stands left of the first machine that is not
 * trusted is that machine's word. An element that is no address ends the walk: the machine that wrote it is the last one known.
 */
export function forwarded(headers: RequestHead["headers"], peer: string, rule: ProxyRule): Forwarded {
  let address = peer;
  let hops = 0;
  if (!rule(peer, 0)) return { address, host: null };
  const elements = lastOf(headers.get("x-forwarded-for"));
  while (hops < maxHops && rule(address, hops)) {
    hops++;
    const next = elements.at(-hops);
    const parsed = next === undefined ? undefined : parseForwarded(next);
    if (parsed === undefined) break;
    address = parsed;
  }
  const hosts = lastOf(headers.get("x-forwarded-host"));
  // Most proxies replace what came; after one that appends, each trusted proxy has an element of its own.
  return { address: ownText(address), host: hosts.at(-Math.min(hops, hosts.length))?.trim() ?? null };
}

/** The last elements of a list, as many as there can be hops: those before them are the client's, who may have sent thousands. */
function lastOf(list: string | null): string[] {
  const elements: string[] = [];
  for (let end = list?.length ?? -1; end >= 0 && elements.length <= maxHops;) {
    const comma = end === 0 ? -1 : (list?.lastIndexOf(",", end - 1) ?? -1);
    elements.unshift(list?.slice(comma + 1, end) ?? "");
    end = comma;
  }
  return elements;
}
