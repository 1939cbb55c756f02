/** Limits how long the decision on a handshake may take, and cleans up one that comes too late. */
import { refuse, isResponse } from "../../../src/protocol/refusal.ts";
import type { AcceptedHandshake } from "../../shared/pending-upgrade.ts";

/** Milliseconds. For apps, whose middleware may never answer; a handler's own `upgradeTimeout` is usually shorter. */
const longestDecision = 60_000;

/** Nobody reads the socket meanwhile, so a client that leaves with FIN is not noticed. */
export function withinTime(decision: PromiseLike<Response | AcceptedHandshake>): Promise<Response | AcceptedHandshake> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      resolve(tooLate());
    }, longestDecision);
    // Must not keep the process alive once the socket is gone.
    timer.unref();
    const decided = (value: Response | AcceptedHandshake): void => {
      clearTimeout(timer);
      if (!isLate) resolve(value);
      else if (isResponse(value)) void discard(value);
      else value.server.abandon(value);
    };
    const failed = (error: unknown): void => {
      clearTimeout(timer);
      reject(error as Error);
    };
    Promise.resolve(decision)
      .then(decided, failed)
      .catch(() => {});
  });
}

export function tooLate(): Response {
  return refuse(503, "the handshake took too long", { "retry-after": "1" });
}

/** Cancels the body of a Response that is not sent. Never rejects. */
export async function discard(response: Response | undefined): Promise<void> {
  try {
    await response?.body?.cancel();
  } catch {
    // The body is locked, or not a stream.
  }
}
