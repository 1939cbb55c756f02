/** What the client has asked and waits for: requests, and streams. */
import { MessageError } from "./error.ts";
import { errorOf } from "./frame.ts";
import type { ErrorFrame, ItemFrame, ResultFrame } from "./frame.ts";
import type { Parser } from "./parse.ts";
import type { StandardSchema } from "./standard.ts";

/** What `request` takes besides the payload. */
export interface RequestOptions {
  /**
   * Milliseconds that the answer may take, or each item of a stream while the loop waits for it; then it rejects with `deadline`, and the other
   * side is informed. Default: 10 000.
   */
  readonly deadline?: number;
  /** Cancels: it rejects with the signal's reason, and the other side is informed. Default: none. */
  readonly signal?: AbortSignal;
}

/** A request or stream that is not answered. */
export interface Exchange {
  /** The server has begun to answer it, or may have: it is not sent again. */
  begun?: boolean;
  readonly name: string;
  readonly payload: unknown;
  /** The schema of the answer. */
  readonly result: StandardSchema;
  /** A stream: the items that the server may send at first. */
  readonly credit?: number;
  /** A stream's next item. */
  item?(payload: unknown): void;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** What is needed of the client. */
export interface Exchanging {
  readonly socket: { readonly readyState: number; readonly carry?: unknown };
  readonly parse: Parser;
  /** @param settled called by a socket with delivery once the frame was acknowledged, or nobody knows what has become of it. */
  write(frame: object, settled?: () => void): unknown;
}

export interface Exchanges {
  /** Sends the request. If that fails, or the signal has aborted, rejects it. */
  ask(exchange: Exchange, options: RequestOptions): Asked;
  answered(frame: (ItemFrame | ResultFrame | ErrorFrame) & { readonly id: number }): void;
  /** The connection is lost; with `interrupted`, what the server had begun to answer. */
  lost(interrupted?: boolean): void;
}

export interface Asked {
  readonly id: number;
  /** Nobody waits any more: rejects it, and informs the server, unless it has answered. */
  cancel(error: unknown): void;
}

export function makeExchanges({ socket, parse, write }: Exchanging): Exchanges {
  const pending = new Map<number, Exchange>();
  // Never used twice, not even on another connection: what comes late for one must not be taken for another's. A connection with delivery may outlive a page.
  let lastId = socket.carry ? Math.floor(Math.random() * 2 ** 48) : 0;

  return {
    ask(exchange, { signal }) {
      const { name, payload, credit } = exchange;
      const id = lastId + 1;
      const over =
        (use: (value: unknown) => void) =>
        (value: unknown): void => {
          pending.delete(id);
          signal?.removeEventListener("abort", abort);
          use(value);
        };
      const reject = over(exchange.reject);
      const failed = (code: string, message: string, cause?: unknown): void =>
        reject(Object.assign(new MessageError(code, message, { about: name }), { cause }));
      const cancel = (error: unknown): void => {
        const unanswered = pending.has(id);
        reject(error);
        try {
          if (unanswered && socket.readyState < 2) write({ type: "cancel", id });
        } catch {
          // The socket accepts nothing any more.
        }
      };
      // React Native's signals have neither `throwIfAborted` nor a reason.
      const reason = (): unknown => signal?.reason ?? new MessageError("cancelled", "cancelled [EW537]", { about: name });
      const abort = (): void => cancel(reason());
      if (signal?.aborted) exchange.reject(reason());
      else {
        lastId = id;
        signal?.addEventListener("abort", abort);
        const one: Exchange = { ...exchange, reject, resolve: over(exchange.resolve) };
        pending.set(id, one);
        try {
          if (socket.readyState > 1) failed("closed", "the socket is closed [EW538]");
          else if (write({ type: "request", id, name, payload, credit }, () => (one.begun = true)) === "refused")
            failed("not-sent", "the socket refused it [EW539]");
        } catch (error) {
          failed("not-sent", `${String(error)} [EW502]`, error);
        }
      }
      return { id, cancel };
    },
    answered(frame) {
      // Nobody waits if it was cancelled, or timed out, while the answer was on its way.
      const one = pending.get(frame.id);
      if (one === undefined) return;
      if (frame.type === "item") {
        one.begun = true;
        return one.item?.(frame.payload);
      }
      // A second answer or a lost connection no longer affects it; the deadline still holds until the result is checked.
      pending.delete(frame.id);
      if (frame.type === "error") one.reject(errorOf(frame));
      else parse(one.result, one.name, frame.payload, one.resolve, one.reject);
    },
    lost(interrupted = false) {
      for (const [id, { name, item, reject, begun }] of pending) {
        if (interrupted && !begun) continue;
        pending.delete(id);
        // Where its request was not acknowledged, it is sent again, and the stream would begin anew.
        if (interrupted && item) write({ type: "cancel", id });
        const code = interrupted || item ? "interrupted" : "closed";
        reject(new MessageError(code, `the connection was lost before "${name}" was answered [EW540]`, { about: name }));
      }
    },
  };
}

/** @throws RangeError */
export function deadlineOf({ deadline = 10_000 }: RequestOptions): number {
  if (deadline > 0 && deadline < 2 ** 31) return deadline;
  throw new RangeError(`option "deadline" is ${deadline}: use 1 to ${2 ** 31 - 1} ms [EW541]`);
}
