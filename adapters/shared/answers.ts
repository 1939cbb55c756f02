/** What Bun and Deno can send: they take no Response of another library, and nothing that only looks like one. */
import { isRefusal } from "../../src/protocol/refusal.ts";
import { checkSendable } from "../../src/protocol/sendable.ts";

/** Whatever becomes of the global. */
const NativeResponse = Response;

/** @throws TypeError for what the runtime would answer with a page of its own, or end the process for. */
export function checkAnswer(response: Response): Response {
  if (isRefusal(response)) return response;
  if (!(response instanceof NativeResponse)) throw new TypeError("fetch must return a Response of this runtime's own");
  checkSendable("the Response", response);
  return response;
}
