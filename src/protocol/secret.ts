/** Comparing secrets: `===` stops at the first difference, and its duration tells an attacker how much was right. */

/**
 * Whether a client gave the right secret (a token, a ticket, a signature), in a time that does not depend on how much of it is
 * right: it reads every character of `given`, and never branches on a difference. The time depends on the length of `given`,
 * which the sender knows; the length of `secret` is not secret. Synchronous, on every runtime.
 *
 * ```ts
 * if (!sameSecret(request.headers.get("x-token"), env.TOKEN)) return new Response(null, { status: 401 });
 * ```
 * @param given what the client sent; false if it sent nothing (`null`, `undefined`).
 * @throws TypeError if `secret` is empty or neither text nor bytes: a secret that was never set must let nobody in.
 */
export function sameSecret(given: string | Uint8Array | null | undefined, secret: string | Uint8Array): boolean {
  if ((typeof secret !== "string" && !(secret instanceof Uint8Array)) || secret.length === 0) {
    throw new TypeError("sameSecret needs a secret to compare with: text or bytes that are not empty [EW217]");
  }
  if (given === null || given === undefined) return false;
  if (typeof given !== typeof secret) throw new TypeError("sameSecret compares text with text, or bytes with bytes [EW218]");
  let difference = given.length ^ secret.length;
  // Compares UTF-16 code units or bytes. A shorter `secret` is read again from its start, so that no read is skipped.
  for (let index = 0; index < given.length; index++) difference |= unitAt(given, index) ^ unitAt(secret, index % secret.length);
  return difference === 0;
}

function unitAt(text: string | Uint8Array, index: number): number {
  return typeof text === "string" ? text.charCodeAt(index) : (text[index] as number);
}
