/**
 * The origin check (RFC 6455 section 10.2): which pages' scripts may connect. Without it any page on the web
 * could open a connection with the user's cookies (cross-site WebSocket hijacking).
 */
import { memo } from "./memo.ts";
import { fieldOf, wholeOf } from "./request.ts";
import type { RequestHead } from "./request.ts";
import { show } from "./text.ts";
import type { Origins } from "./options.ts";

/** Whether a foreign origin is allowed; the request's own host always is. */
export type OriginRule = (origin: string, request: RequestHead) => boolean;

/** A scheme, a host that may start with `*.`, an optional port; nothing after it. */
const pattern = /^([a-z][a-z0-9+.-]*):\/\/(\*\.)?([^/?#\s@*:,]+|\[[0-9a-fA-F:.]+\])(:\d+)?$/i;

/** @throws TypeError for anything that is not `"*"`, a list of origins and patterns, or a function. */
export function compileOrigins(origins: Origins): OriginRule {
  if (origins === "*") return () => true;
  if (typeof origins === "function") {
    return (origin, request) => {
      const allowed: unknown = origins(origin, wholeOf(request));
      // A promise is truthy: an async rule would let everyone in.
      if (typeof allowed !== "boolean")
        throw new TypeError('option "origins": the function must return true or false, not a promise or another value');
      return allowed;
    };
  }
  if (!Array.isArray(origins)) {
    throw new TypeError('option "origins" must be "*", an array like ["https://example.com", "https://*.example.com"] or a function');
  }
  const exact = new Set<string>();
  const suffixes: { scheme: string; suffix: string }[] = [];
  for (const origin of origins as unknown[]) {
    const match = typeof origin === "string" ? pattern.exec(origin) : null;
    if (match === null) {
      throw new TypeError(
        `option "origins" has ${show(origin)}: must be a scheme and a host like "https://example.com" or "https://*.example.com", without a path`,
      );
    }
    const [, scheme = "", wildcard, host = "", port = ""] = match;
    const authority = dropDefaultPort(scheme.toLowerCase(), (host + port).toLowerCase());
    if (wildcard === undefined) exact.add(`${scheme.toLowerCase()}://${authority}`);
    else suffixes.push({ scheme: `${scheme.toLowerCase()}://`, suffix: `.${authority}` });
  }
  return (origin) => {
    const normal = normalized(origin);
    return normal !== undefined && (exact.has(normal) || suffixes.some((one) => matches(normal, one.scheme, one.suffix)));
  };
}

function matches(origin: string, scheme: string, suffix: string): boolean {
  return origin.startsWith(scheme) && origin.endsWith(suffix) && origin.length > scheme.length + suffix.length;
}

/**
 * Why a request's origin is refused, for the log; undefined when it is allowed.
 * `Origin: null` (a sandboxed frame, a redirect) and several Origins are never the same host.
 * @param host with its port, where the client sees the server.
 */
export function refuseOrigin(request: RequestHead, rule: OriginRule, host: string): string | undefined {
  const origin = fieldOf(request, "origin");
  if (origin === undefined) return undefined;
  const normal = normalized(origin);
  // The scheme is not compared: behind TLS termination the server sees http where the browser saw https.
  if (normal !== undefined) {
    const end = normal.indexOf("://");
    const scheme = normal.slice(0, end);
    if (normal.slice(end + 3) === dropDefaultPort(scheme, host.toLowerCase())) return undefined;
  }
  if (rule(origin, request)) return undefined;
  return `Origin ${JSON.stringify(origin)} is not the request's own host ${JSON.stringify(host)} and not in option "origins"`;
}

/** A server's handshakes have few origins, and on workerd to match and put together each was 3 % of a connection. */
const normalized = memo(100, normalize);

/** Scheme and authority in lower case without a default port; undefined for `null`, a list or anything that is no origin. */
function normalize(origin: string): string | undefined {
  const match = pattern.exec(origin);
  if (match === null || match[2] !== undefined) return undefined;
  const scheme = (match[1] ?? "").toLowerCase();
  return `${scheme}://${dropDefaultPort(scheme, ((match[3] ?? "") + (match[4] ?? "")).toLowerCase())}`;
}

function dropDefaultPort(scheme: string, authority: string): string {
  const port = scheme === "https" || scheme === "wss" ? ":443" : ":80";
  return authority.endsWith(port) ? authority.slice(0, -port.length) : authority;
}
