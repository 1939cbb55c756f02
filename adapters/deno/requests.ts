/** Counts Deno's ordinary requests until their answers are sent. */
import { isPromise } from "../../src/values/promise.ts";
import type { MaybePromise } from "../../src/api/connection.ts";
import type { Requests } from "../shared/requests.ts";

/** The second argument of `Deno.serve`'s handler. */
export interface NativeInfo {
  readonly remoteAddr: { readonly hostname?: string };
  /** Settles once the answer is sent. */
  readonly completed: Promise<void>;
}

export function follow(requests: Requests, answered: MaybePromise<Response>, info: NativeInfo): MaybePromise<Response> {
  // Most requests are handshakes; closing does not wait for a 101.
  if (!isPromise(answered) && answered.status === 101) return answered;
  if (!requests.begin()) return answered;
  const over = (): void => requests.end();
  const sent = (response: Response): Response => {
    if (response.status === 101) over();
    else info.completed.then(over, over);
    return response;
  };
  return isPromise(answered) ? answered.then(sent) : sent(answered);
}
