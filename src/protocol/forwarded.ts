/** Which proxies are believed, and what they say of a request: the client's address, and the scheme, host and port that it asked for. */
import { isIn, parseAddress, parseForwarded, parseNetwork } from "./address.ts";
import { fieldOf } from "./request.ts";
import type { RequestHead } from "./request.ts";
import { ownText, show } from "../values/text.ts";
import { originAt } from "./url.ts";
import type { Scheme } from "./url.ts";

/** Whether the machine with this address, `hops` machines away from this server (0 is the one that connected), is a proxy to believe. */
export type ProxyRule = (address: string, hops: number) => boolean;

export interface Forwarded {
  /** The first address from this server's end that is no trusted proxy's. */
  readonly address: string;
  /** How the client asked, as the outermost trusted proxy says; undefined where none does. */
  readonly scheme?: Scheme | undefined;
  /** The host that the client asked for, with its port where that is not the scheme's; likewise. */
  readonly host?: string | undefined;
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
 * X-Forwarded-Host, -Proto and -Port are read at the same place. RFC 7239's `Forwarded` counts where there is none of them: a proxy that
 * writes them passes on what the client wrote there.
 */
export function forwarded(request: Pick<RequestHead, "headers">, peer: string, rule: ProxyRule): Forwarded {
  if (!rule(peer, 0)) return { address: peer };
  const list = (name: string): readonly string[] => lastOf(fieldOf(request, `x-forwarded-${name}`));
  const [addresses, hosts, schemes, ports] = [list("for"), list("host"), list("proto"), list("port")];
  if ([addresses, hosts, schemes, ports].some((one) => one.length > 0)) {
    const { address, hops } = walk(peer, rule, addresses);
    const [host, scheme, port] = [hosts, schemes, ports].map((values) => nearest(values, hops));
    return { address, scheme: schemeNamed(scheme), host: hostNamed(host, port, request) };
  }
  const elements = lastOf(fieldOf(request, "forwarded")).map((element) => parseElement(element));
  const { address, hops } = walk(
    peer,
    rule,
    elements.map((element) => element.get("for") ?? ""),
  );
  const said = elements.at(-hops);
  return { address, scheme: schemeNamed(said?.get("proto")), host: hostNamed(said?.get("host"), undefined, request) };
}

/**
 * The last elements of a list, as many as there can be hops: those before them are the client's, who may have sent thousands. Read from its
 * end, where a quote that a client left open can't reach.
 */
function lastOf(list = ""): string[] {
  const elements: string[] = [];
  let end = list.length;
  let isQuoted = false;
  for (let at = end - 1; at >= 0 && elements.length < maxHops; at--) {
    const letter = list[at];
    if (letter === '"' && !isEscaped(list, at)) isQuoted = !isQuoted;
    if (letter !== "," || isQuoted) continue;
    elements.unshift(list.slice(at + 1, end));
    end = at;
  }
  if (list !== "" && elements.length < maxHops) elements.unshift(list.slice(0, end));
  return elements;
}

/** Whether an odd number of backslashes stands before it. */
function isEscaped(list: string, at: number): boolean {
  let first = at;
  while (list[first - 1] === "\\") first--;
  return (at - first) % 2 === 1;
}

/** Over how many trusted proxies the request came, and from whom. */
function walk(peer: string, rule: ProxyRule, elements: readonly string[]): { readonly address: string; readonly hops: number } {
  let address = peer;
  let hops = 0;
  while (hops < maxHops && rule(address, hops)) {
    hops++;
    const next = elements.at(-hops);
    const parsed = next === undefined ? undefined : parseForwarded(next);
    if (parsed === undefined) break;
    address = parsed;
  }
  return { address: ownText(address), hops };
}

/** Most proxies replace what came; after one that appends, each trusted proxy has an element of its own. */
function nearest(values: readonly string[], hops: number): string | undefined {
  return values.at(-Math.min(hops, values.length))?.trim();
}

function schemeNamed(name: string | undefined): Scheme | undefined {
  const match = /^(?:http|ws)(s?)$/i.exec(name ?? "");
  return match === null ? undefined : match[1] === "" ? "http" : "https";
}

/** A port that a proxy names by itself is the one of a host without; what names a host with its port is not corrected. */
function hostNamed(named: string | undefined, port: string | undefined, request: Pick<RequestHead, "headers">): string | undefined {
  const host = named !== undefined && originAt("http", named) !== undefined ? named : undefined;
  if (port === undefined || !/^[1-9]\d{0,4}$/.test(port) || Number(port) > 65_535) return host;
  if (host !== undefined) return /:\d+$/.test(host) ? host : `${host.replace(/:$/, "")}:${port}`;
  const own = fieldOf(request, "host");
  return own === undefined ? undefined : `${own.replace(/:\d*$/, "")}:${port}`;
}

/** RFC 7239 section 4: an element's parameters by their names. Empty for one that is malformed. */
function parseElement(text: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  const element = text.trim();
  for (let at = 0, end = ";"; end === ";";) {
    pair.lastIndex = at;
    const match = pair.exec(element);
    const [whole = "", name = "", token, quoted = ""] = match ?? [];
    if (match === null || parameters.has(name.toLowerCase())) return new Map();
    parameters.set(name.toLowerCase(), token ?? quoted.replace(/\\(.)/g, "$1"));
    at += whole.length;
    end = match[4] as string;
  }
  return parameters;
}

/** `for="[2001:db8::1]:4711";proto=http`, one parameter at a time. */
const pair = /[ \t]*([!#$%&'*+.^_`|~\w-]+)=(?:([!#$%&'*+.^_`|~\w-]+)|"((?:[^"\\]|\\.)*)")[ \t]*(;|$)/y;
