/** Checks that Bun and Deno can send a Response: both accept only their own class. */
import { isRefusal } from "../../src/protocol/refusal.ts";
import { checkSendable } from "../../src/protocol/sendable.ts";

/** Kept here because a library may replace the global. */
const NativeResponse = Response;

/** @throws TypeError for an answer on which the runtime would send its own error page, or end the process. */
export function checkAnswer(response: Response): Response {
  if (isRefusal(response)) return response;
  if (!(response instanceof NativeResponse)) throw new TypeError("fetch must return this runtime's own Response [EW627]");
  checkSendable("the Response", response);
  return response;
}
