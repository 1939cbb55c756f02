/**
 * The URL that a request asked for. A client may send something that is not a URL, or that parsing changes. Hooks and `fetch`
 * always see a URL as `new URL` writes it.
 */
import { memo } from "../values/memo.ts";

export type Scheme = "http" | "https";

/**
 * A host and an optional port (RFC 9110 section 7.2). RFC 3986 allows more characters in a name. No name in DNS or a hosts file has them,
 * and in a URL different parsers read each differently.
 */
const authority = /^(?:(?:[\w-]+\.)*[\w-]+\.?|\[[\da-f:.]+\])(?::\d*)?$/i;

/** The longest name in DNS, with a port. */
const longest = 260;

// Most requests name the same host as the previous one, and parsing costs more than any check of a handshake.
const origins: { readonly [Name in Scheme]: (host: string) => string } = {
  http: memo(100, (host) => parse("http", host)),
  https: memo(100, (host) => parse("https", host)),
};

function parse(scheme: Scheme, host: string): string {
  return authority.test(host) ? (URL.parse(`${scheme}://${host}/`)?.origin ?? "") : "";
}

/** `https://example.com:8443`, in lower case and without a default port; undefined if `host` is not a host with an optional port. */
export function originAt(scheme: Scheme, host: string): string | undefined {
  return (host.length <= longest && origins[scheme](host)) || undefined;
}

/** The same for a name with letters beyond ASCII, as a browser writes it. No Host header has such a name. */
export function originOfName(scheme: Scheme, host: string): string | undefined {
  // At least one label: a name of only dots, for example, parses to nothing.
  const parsed = /^[\p{L}\p{M}\p{N}._-]+(?::\d*)?$/u.test(host) ? URL.parse(`${scheme}://${host}/`) : null;
  return parsed === null ? undefined : originAt(scheme, parsed.host);
}

/** A host without its port. */
export function nameOf(host: string): string {
  return host.replace(/:\d*$/, "");
}

/** Removes the dot at the end of a name, which makes no difference in DNS. */
export function undotted(origin: string): string {
  return origin.replace(/\.(?=(?::\d+)?$)/, "");
}

/** The same for a URL of http, https, ws or wss. Undefined for any other, or if its host is invalid. */
export function originOf(url: string): string | undefined {
  const found = schemeAndHost.exec(url);
  return found === null ? undefined : originAt(schemeOf(url), found[1] as string);
}

/** The host and port of a normalized URL. */
export function hostOf(url: string): string {
  return schemeAndHost.exec(url)?.[1] ?? "";
}

const schemeAndHost = /^(?:http|ws)s?:\/\/(?:[^/?#\\@]*@)?([^/?#\\@]+)/i;

export function schemeOf(url: string): Scheme {
  return /^(?:http|ws)s:/i.test(url) ? "https" : "http";
}

/** A path and query that parsing would not change: no dot segments, no character to be escaped. */
const plain = /\/(?:[\w/~!$&()*+,;=:@-]|(?<=\w)\.|%(?!2e)[\da-f]{2})*(?:\?[\w/~!$&()*+,;=:@.?%-]*)?$/iy;

/**
 * Puts the path and query of a URL, or of a request's target (RFC 9112 section 3.2: a path, or a URL in absolute-form), after an origin.
 * Undefined if the target is neither.
 */
export function urlAt(origin: string, target: string): string | undefined {
  const isPath = target.startsWith("/");
  plain.lastIndex = isPath ? 0 : origin.length;
  if ((isPath || target.startsWith(origin)) && plain.test(target)) return isPath ? origin + target : target;
  // Two slashes at the start of a path don't begin an authority.
  const parsed = isPath ? URL.parse(origin + target) : /^(?:http|ws)s?:\/\//i.test(target) ? URL.parse(target) : null;
  if (parsed === null) return undefined;
  // A request has no fragment, and a Request may not have credentials in its URL.
  parsed.hash = parsed.username = parsed.password = "";
  return origin + parsed.href.slice(parsed.origin.length);
}
