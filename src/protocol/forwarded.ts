/** Which proxies are trusted, and what they report about a request: the client's address, and the scheme, host and port that it asked for. */
import { isIn, parseAddress, parseForwarded, parseNetwork } from "./address.ts";
import { fieldOf } from "./request.ts";
import type { RequestHead } from "./request.ts";
import { ownText, show } from "../values/text.ts";
import { originAt } from "./url.ts";
import type { Scheme } from "./url.ts";

/** Whether to trust the machine at this address as a proxy. It is `hops` machines away from this server (0: it made the connection). */
export type ProxyRule = (address: string, hops: number) => boolean;

export interface Forwarded {
  /** The first address, seen from this server, that is not a trusted proxy's. */
  readonly address: string;
  /** The scheme that the client used, as the outermost trusted proxy reports it; undefined if none does. */
  readonly scheme?: Scheme | undefined;
  /** The host that the client asked for, reported in the same way; with its port unless it is the scheme's default. */
  readonly host?: string | undefined;
}

/** The maximum length of a chain of proxies. */
const maxHops = 32;

/** @throws TypeError, RangeError for anything but a boolean, a number of proxies or a list of addresses and networks. */
export function compileProxies(name: string, value: unknown): ProxyRule {
  if (value === false) return () => false;
  if (value === true) return (_, hops) => hops < 1;
  if (typeof value === "number") {
    if (!Number.isInteger(value) || value < 1 || value > maxHops)
      throw new RangeError(`option "${name}" is ${value}: a number of proxies must be from 1 to ${maxHops} [EW144]`);
    return (_, hops) => hops < value;
  }
  if (!Array.isArray(value) || value.length === 0) {
    throw new TypeError(
      `option "${name}" must be true or false, a number of proxies, or a list of their addresses like ["10.0.0.0/8"] [EW145]`,
    );
  }
  const networks = value.map((one: unknown) => {
    const network = typeof one === "string" ? parseNetwork(one) : undefined;
    if (network !== undefined) return network;
    throw new TypeError(
      `option "${name}" has ${show(one)}: must be an IP address or a network like "10.0.0.0/8" or "2001:db8::/32", without bits set beyond its length [EW146]`,
    );
  });
  return (address) => {
    const bytes = parseAddress(address);
    return bytes !== undefined && networks.some((network) => isIn(bytes, network));
  };
}

/**
 * Follows X-Forwarded-For from its right end, where the nearest proxy wrote. Elements to the left of the first untrusted machine are only that
 * machine's claim. An element that is not an address ends the walk: the machine that wrote it is the last one known.
 * X-Forwarded-Host, -Proto and -Port are read at the same position. RFC 7239's `Forwarded` is used only if none of them is present: a proxy
 * that writes X-Forwarded headers passes on the client's `Forwarded`.
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
  const element = elements.at(-hops);
  return { address, scheme: schemeNamed(element?.get("proto")), host: hostNamed(element?.get("host"), undefined, request) };
}

/**
 * The last elements of a list, at most as many as there can be hops. Earlier ones come from the client, who may have sent thousands. Read from
 * the end, so that a quote that a client left open has no effect.
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

/** Whether an odd number of backslashes precedes it. */
function isEscaped(list: string, at: number): boolean {
  let first = at;
  while (list[first - 1] === "\\") first--;
  return (at - first) % 2 === 1;
}

/** How many trusted proxies the request passed, and who sent it to the first. */
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

/** Most proxies replace the value; if one appends instead, each trusted proxy has an element of its own. */
function nearest(values: readonly string[], hops: number): string | undefined {
  return values.at(-Math.min(hops, values.length))?.trim();
}

function schemeNamed(name: string | undefined): Scheme | undefined {
  const match = /^(?:http|ws)(s?)$/i.exec(name ?? "");
  return match === null ? undefined : match[1] === "" ? "http" : "https";
}

/** Adds a port that a proxy reports separately to a host without one; a host that has a port keeps it. */
function hostNamed(named: string | undefined, port: string | undefined, request: Pick<RequestHead, "headers">): string | undefined {
  const host = named !== undefined && originAt("http", named) !== undefined ? named : undefined;
  if (port === undefined || !/^[1-9]\d{0,4}$/.test(port) || Number(port) > 65_535) return host;
  if (host !== undefined) return /:\d+$/.test(host) ? host : `${host.replace(/:$/, "")}:${port}`;
  const own = fieldOf(request, "host");
  return own === undefined ? undefined : `${own.replace(/:\d*$/, "")}:${port}`;
}

/** RFC 7239 section 4: an element's parameters by name. Empty if it is malformed. */
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
