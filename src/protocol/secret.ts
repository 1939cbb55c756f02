/** Comparing secrets: `===` stops at the first difference, and how long it took tells an attacker how much was right. */

/**
 * Whether a client gave the right secret (a token, a ticket, a signature), in a time that does not depend on how much of it is
 * right: every character of `given` is looked at, whatever was found before, and nothing branches on a difference. The time
 * depends on the length of `given`, which its sender knows; the length of `secret` is no secret. Synchronous, on every runtime.
 *
 * ```ts
 * if (!sameSecret(request.headers.get("x-token"), env.TOKEN)) return new Response(null, { status: 401 });
 * ```
 * @param given what the client said; false where it said nothing (`null`, `undefined`).
 * @throws TypeError for a `secret` that is empty or of another type than text or bytes: one that was never set must let nobody in.
 */
export function sameSecret(given: string | Uint8Array | null | undefined, secret: string | Uint8Array): boolean {
  if ((typeof secret !== "string" && !(secret instanceof Uint8Array)) || secret.length === 0) {
    throw new TypeError("sameSecret needs a secret to compare with: text or bytes that are not empty");
  }
  if (given === null || given === undefined) return false;
  if (typeof given !== typeof secret) throw new TypeError("sameSecret compares text with text, or bytes with bytes");
  let difference = given.length ^ secret.length;
  // UTF-16 code units or bytes. Where `secret` is shorter it is read again from its start: no read is left out.
  for (let index = 0; index < given.length; index++) difference |= unitAt(given, index) ^ unitAt(secret, index % secret.length);
  return difference === 0;
}

function unitAt(text: string | Uint8Array, index: number): number {
  return typeof text === "string" ? text.charCodeAt(index) : (text[index] as number);
}
