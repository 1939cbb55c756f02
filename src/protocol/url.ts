/**
 * The URL that a request asked for. A client may write what is no URL at all, or one that parsing changes: what hooks and `fetch` see
 * is always a URL that `new URL` takes, and written as it would write it.
 */
import { memo } from "../values/memo.ts";

export type Scheme = "http" | "https";

/**
 * A host and an optional port (RFC 9110 section 7.2). RFC 3986 allows more letters in a name; none that DNS or a hosts file knows has them,
 * and in a URL each means something else to somebody.
 */
const authority = /^(?:(?:[\w-]+\.)*[\w-]+\.?|\[[\da-f:.]+\])(?::\d*)?$/i;

/** The longest name that DNS has, and a port. */
const longest = 260;

// Most requests name the host that the one before did, and parsing costs more than any check of a handshake.
const origins: { readonly [Name in Scheme]: (host: string) => string } = {
  http: memo(100, (host) => parse("http", host)),
  https: memo(100, (host) => parse("https", host)),
};

function parse(scheme: Scheme, host: string): string {
  return authority.test(host) ? (URL.parse(`${scheme}://${host}/`)?.origin ?? "") : "";
}

/** `https://example.com:8443`, in lower case and without a default port; undefined for what is not a host with an optional port. */
export function originAt(scheme: Scheme, host: string): string | undefined {
  return (host.length <= longest && origins[scheme](host)) || undefined;
}

/** The same of a name with letters beyond ASCII, which no Host header has: as a browser writes it. */
export function originOfName(scheme: Scheme, host: string): string | undefined {
  // A label at the least: a name of dots, say, comes to nothing.
  const parsed = /^[\p{L}\p{M}\p{N}._-]+(?::\d*)?$/u.test(host) ? URL.parse(`${scheme}://${host}/`) : null;
  return parsed === null ? undefined : originAt(scheme, parsed.host);
}

/** A host without its port. */
export function nameOf(host: string): string {
  return host.replace(/:\d*$/, "");
}

/** Without the dot at the end of a name, which DNS knows no difference for. */
export function undotted(origin: string): string {
  return origin.replace(/\.(?=(?::\d+)?$)/, "");
}

/** The same of a URL of http, https, ws or wss. Undefined for any other, and for one whose host is none. */
export function originOf(url: string): string | undefined {
  const found = schemeAndHost.exec(url);
  return found === null ? undefined : originAt(schemeOf(url), found[1] as string);
}

/** A normal URL's host and port. */
export function hostOf(url: string): string {
  return schemeAndHost.exec(url)?.[1] ?? "";
}

const schemeAndHost = /^(?:http|ws)s?:\/\/(?:[^/?#\\@]*@)?([^/?#\\@]+)/i;

export function schemeOf(url: string): Scheme {
  return /^(?:http|ws)s:/i.test(url) ? "https" : "http";
}

/** Nothing that parsing would change: no dot segments, no character to be escaped. */
const plain = /\/(?:[\w/~!$&()*+,;=:@-]|(?<=\w)\.|%(?!2e)[\da-f]{2})*(?:\?[\w/~!$&()*+,;=:@.?%-]*)?$/iy;

/**
 * The path and the query of a URL, or of a request's target (RFC 9112 section 3.2: a path, or in absolute-form a URL), at an origin.
 * Undefined for a target that is neither.
 */
export function urlAt(origin: string, target: string): string | undefined {
  const isPath = target.startsWith("/");
  plain.lastIndex = isPath ? 0 : origin.length;
  if ((isPath || target.startsWith(origin)) && plain.test(target)) return isPath ? origin + target : target;
  // A path of two slashes is no authority.
  const parsed = isPath ? URL.parse(origin + target) : /^(?:http|ws)s?:\/\//i.test(target) ? URL.parse(target) : null;
  if (parsed === null) return undefined;
  // No request has a fragment to say, and no Request may have a user's name.
  parsed.hash = parsed.username = parsed.password = "";
  return origin + parsed.href.slice(parsed.origin.length);
}
