/** The URL that a request of Node's asked for, as a Request has it. */

/**
 * @param scheme without a colon.
 * @param host the Host header.
 * @param target the request line's: a path, or a URL (absolute-form).
 */
export function urlOf(scheme: string, host: string, target: string): string {
  const base = `${scheme}://${host}`;
  if (plain.test(target)) {
    const origin = originOf(base);
    if (origin !== undefined) return origin + target;
  }
  // A path of two slashes is no authority: only an absolute-form target (RFC 9112 section 3.2.2) names a host.
  const parsed = URL.parse(target.startsWith("/") ? base + target : target) ?? new URL(`${scheme}://localhost/`);
  // No Request can have them; RFC 9110 section 4.2.4 deprecates them, and no other runtime shows them.
  if (parsed.username !== "") parsed.username = "";
  if (parsed.password !== "") parsed.password = "";
  return parsed.href;
}

/** Nothing that parsing would change: no dot segments, no characters to be escaped. */
const plain = /^\/[\w/?&=~-]*$/;

/** Most requests name the host that the one before did, and parsing costs more than any check of a handshake. */
const last: { base: string; origin: string | undefined } = { base: "", origin: undefined };

/** Undefined for what is not just a host and a port. */
function originOf(base: string): string | undefined {
  if (base === last.base) return last.origin;
  const parsed = URL.parse(`${base}/`);
  last.base = base;
  last.origin = parsed !== null && parsed.href === `${parsed.origin}/` ? parsed.origin : undefined;
  return last.origin;
}
