/** Ordinary requests on Deno, for which a server that ends waits itself: Deno's own `shutdown` would close every WebSocket of the process. */
import { isPromise } from "../src/errors.ts";
import type { MaybePromise } from "../src/types.ts";

/** The second argument of `Deno.serve`'s handler. */
export interface NativeInfo {
  readonly remoteAddr: { readonly hostname?: string };
  /** Settles when the answer is sent. */
  readonly completed: Promise<void>;
}

/** Ordinary requests that are not answered to the end yet. */
export class Requests {
  readonly #pending = new Set<PromiseLike<unknown>>();

  follow(answered: MaybePromise<Response>, info: NativeInfo): MaybePromise<Response> {
    if (!isPromise(answered)) return this.#sent(answered, info);
    this.#add(answered);
    return answered.then((response) => this.#sent(response, info));
  }

  /** A promise of Deno's is made by asking for it: not for every handshake. */
  #sent(response: Response, info: NativeInfo): Response {
    if (response.status !== 101) this.#add(info.completed);
    return response;
  }

  async settled(): Promise<void> {
    while (this.#pending.size > 0) {
      await Promise.allSettled(this.#pending);
      // `completed` settles shortly before the response is out, and an abort in that turn cuts it off (2.9.5, measured).
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  #add(pending: PromiseLike<unknown>): void {
    const over = (): void => void this.#pending.delete(pending);
    this.#pending.add(pending);
    pending.then(over, over);
  }
}
