/** Responses that refuse a handshake, and what is known of them. */

/** A refusal that says what was wrong; the same status, headers and body on every runtime. `cause`, for counting, is the option behind it. */
export function refuse(status: number, message: string, headers: Record<string, string> = {}, cause?: string): Response {
  const response = new Response(`${message}\n`, { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers } });
  causes.set(response, cause ?? String(status));
  return response;
}

const causes = new WeakMap<Response, string>();

/** Whether `refuse` made it: it can be sent. */
export function isRefusal(response: Response): boolean {
  return causes.has(response);
}

/** Why a handshake was refused, in a word: the option that it met, the status of what was malformed, or `upgrade` for a Response of the hook's own. */
export function causeOf(refusal: Response): string {
  return causes.get(refusal) ?? "upgrade";
}

/** Responses that refuse a handshake, and what is known of them. */

export function isResponse(value: unknown): value is Response {
  // Not `instanceof`: @hono/node-server may have replaced the global class, and to name it makes Node load the whole of fetch, which every
  // collection of garbage then goes through (a third of the heap of a server that has no other use for it).
  try {
    return typeof value === "object" && value !== null && "arrayBuffer" in value && "status" in value;
  } catch {
    // A revoked proxy, say. It may be what a hook threw: who looks at that must not fail in turn, or the handshake's place is lost.
    return false;
  }
}

/** The refusal of a handshake that comes to a server which closes. */
export function refuseClosing(): Response {
  return refuse(503, "the server is closing", { "retry-after": "1" }, "closing");
}
