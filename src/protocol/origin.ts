/**
 * The origin check (RFC 6455 section 10.2): which pages' scripts may connect. Without it, any page on the web
 * could open a connection with the user's cookies (cross-site WebSocket hijacking).
 */
import { isPrivate } from "./hosts.ts";
import { isPromise } from "../values/promise.ts";
import { memo } from "../values/memo.ts";
import { fieldOf, wholeOf } from "./request.ts";
import type { RequestHead } from "./request.ts";
import { show } from "../values/text.ts";
import type { Origins } from "../api/options.ts";
import type { MaybePromise } from "../api/connection.ts";
import { nameOf, originAt, originOfName, undotted } from "./url.ts";
import type { Scheme } from "./url.ts";
import { quoted } from "../values/log.ts";

/** Whether a foreign origin is allowed; the request's own host always is. */
export type OriginRule = (origin: string, request: RequestHead) => MaybePromise<boolean>;

/** @throws TypeError for anything that is not `"*"`, a list of origins and patterns, or a function. */
export function compileOrigins(origins: Origins): OriginRule {
  if (origins === "*") return () => true;
  if (typeof origins === "function") {
    return (origin, request) => {
      const allowed: unknown = origins(origin, wholeOf(request));
      return isPromise(allowed) ? allowed.then(checkAnswer) : checkAnswer(allowed);
    };
  }
  if (!Array.isArray(origins)) {
    throw new TypeError(
      'option "origins" must be "*", an array like ["https://example.com", "https://*.example.com"] or a function [EW149]',
    );
  }
  const patterns = (origins as readonly unknown[]).map(readPattern);
  // Most are exact: a lookup finds them, however many there are.
  const exact = new Set(patterns.flatMap((one) => (typeof one === "string" ? [one] : [])));
  const others = patterns.filter((one) => typeof one !== "string");
  return (origin) => {
    const normal = normalized(origin);
    return normal !== undefined && (exact.has(normal) || others.some((one) => matches(normal, one)));
  };
}

/** Any other value would let in everyone, or no one. */
function checkAnswer(allowed: unknown): boolean {
  if (typeof allowed !== "boolean")
    throw new TypeError('option "origins": the function must return true or false, or a promise of one of them [EW150]');
  return allowed;
}

/** Allows all subdomains, or all ports. */
interface Pattern {
  /** `https://` */
  readonly scheme: string;
  /** What follows the scheme; for subdomains it starts with the `.`. */
  readonly rest: string;
  readonly subdomains: boolean;
  readonly anyPort: boolean;
}

/** A scheme, a host that may start with `*.`, an optional port, and nothing more. */
const pattern = /^([a-z][a-z0-9+.-]*):\/\/(\*\.)?([^/?#\s@*:,\\]+|\[[0-9a-fA-F:.]+\])(:\d+|:\*)?$/i;

/** An exact origin as a browser writes it, or a pattern. */
function readPattern(given: unknown): string | Pattern {
  if (noHosts.includes(given as string)) return given as string;
  const match = typeof given === "string" ? pattern.exec(given) : null;
  const [, name = "", wildcard, host = "", port = ""] = match ?? [];
  const anyPort = port === ":*";
  const scheme = name.toLowerCase();
  const authority = `${host}${anyPort ? "" : port}`;
  const origin = match === null ? undefined : (written(scheme, authority) ?? (isWeb(scheme) ? originOfName(scheme, authority) : undefined));
  if (origin === undefined) {
    throw new TypeError(
      `option "origins" has ${show(given)}: must be a scheme and a host like "https://example.com", "https://*.example.com" or "http://localhost:*", without a path; "null"; or "file://" [EW151]`,
    );
  }
  const normal = undotted(origin);
  if (wildcard === undefined && !anyPort) return normal;
  const start = scheme.length + "://".length;
  const rest = normal.slice(start);
  return { scheme: normal.slice(0, start), rest: wildcard === undefined ? rest : `.${rest}`, subdomains: wildcard !== undefined, anyPort };
}

function matches(origin: string, { scheme, rest, subdomains, anyPort }: Pattern): boolean {
  if (!origin.startsWith(scheme)) return false;
  const authority = origin.slice(scheme.length);
  const found = anyPort ? nameOf(authority) : authority;
  return subdomains ? found.endsWith(rest) && found.length > rest.length : found === rest;
}

/**
 * Returns why a request's origin is refused, for the log; undefined if it is allowed.
 * `Origin: null` and several Origins never count as the same host.
 * @param host the server's host as the client sees it, with its port.
 */
export function refuseOrigin(request: RequestHead, rule: OriginRule, host: string): MaybePromise<string | undefined> {
  const origin = fieldOf(request, "origin");
  // Most pages are the server's own, at a host that is written alike. It was checked when the request was located.
  if (origin === undefined || origin === `http://${host}` || origin === `https://${host}` || isOwn(normalized(origin), host))
    return undefined;
  const allowed = rule(origin, request);
  const reason = (one: boolean): string | undefined => (one ? undefined : explain(origin, host));
  return isPromise(allowed) ? allowed.then(reason) : reason(allowed);
}

/** The scheme is not compared: behind TLS termination the server sees http where the browser saw https. */
function isOwn(origin: string | undefined, host: string): boolean {
  if (origin === undefined) return false;
  const own = written(origin.startsWith("https:") ? "https" : "http", host);
  return own !== undefined && authorityOf(origin) === authorityOf(own);
}

/** Empty if there is none. */
function authorityOf(origin: string): string {
  const end = origin.indexOf("://");
  return end < 0 ? "" : origin.slice(end + "://".length);
}

/** A sandboxed frame or a redirect; a page loaded from a file. */
const noHosts: readonly string[] = ["null", "file://"];

function explain(origin: string, host: string): string {
  const reason = `Origin ${quoted(origin)} is not the request's own host ${quoted(host)} and not in option "origins"`;
  const page = nameOf(authorityOf(normalized(origin) ?? ""));
  if (page === "" || !isPrivate(nameOf(host)) || page === nameOf(host)) return reason;
  return `${reason}. If there is a proxy in front, it does not pass on the Host that the browser sent: set "proxy_set_header Host $http_host;" in nginx, "ProxyPreserveHost On" in Apache; or have it send X-Forwarded-Host, and set option "trustProxy"`;
}

/** A server's handshakes have few origins. On workerd, matching and assembling each one took 3 % of a connection. */
const normalized = memo(100, normalize);

/** As a browser writes it, without a default port; undefined for a list or anything that is not an origin. */
function normalize(origin: string): string | undefined {
  if (noHosts.includes(origin)) return origin;
  const match = pattern.exec(origin);
  if (match === null || match[2] !== undefined || match[4] === ":*") return undefined;
  return written((match[1] ?? "").toLowerCase(), `${match[3] ?? ""}${match[4] ?? ""}`);
}

/** In lower case, an IPv6 address in its shortest form, without a default port and without a dot at the end of the name. */
function written(scheme: string, authority: string): string | undefined {
  const origin = isWeb(scheme) ? originAt(scheme, authority) : `${scheme}://${authority.toLowerCase()}`;
  return origin === undefined ? undefined : undotted(origin);
}

function isWeb(scheme: string): scheme is Scheme {
  return scheme === "http" || scheme === "https";
}
