/** Responses that refuse a handshake, and their causes. */

/** A refusal that says what was wrong; the same status, headers and body on every runtime. `cause` is the option behind it, for statistics. */
export function refuse(status: number, message: string, headers: Record<string, string> = {}, cause?: string): Response {
  const response = new Response(`${message}\n`, { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers } });
  causes.set(response, cause ?? String(status));
  return response;
}

const causes = new WeakMap<Response, string>();

/** Whether `refuse` created it: then it can be sent. */
export function isRefusal(response: Response): boolean {
  return causes.has(response);
}

/** Why a handshake was refused, in a word: the option behind it, the status for a malformed request, or `upgrade` for a Response of the hook. */
export function causeOf(refusal: Response): string {
  return causes.get(refusal) ?? "upgrade";
}

export function isResponse(value: unknown): value is Response {
  // Not `instanceof`: @hono/node-server may have replaced the global class. Also, naming the class makes Node load all of fetch, which every
  // garbage collection then visits (a third of the heap of a server that does not use it otherwise).
  try {
    return typeof value === "object" && value !== null && "arrayBuffer" in value && "status" in value;
  } catch {
    // A revoked proxy, for example. A hook may have thrown it, and if this check failed too, the handshake's place would be lost.
    return false;
  }
}

/** The refusal of a handshake that arrives while the server is closing. */
export function refuseClosing(): Response {
  return refuse(503, "the server is closing", { "retry-after": "1" }, "closing");
}
