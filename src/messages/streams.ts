/** A stream on the server: asks the iterator of a hook for items while its client gives credit, and ends it when nobody waits any more. */
import { maxCredit } from "./frame.ts";
import { PendingRequest } from "./pending.ts";

/** What becomes of a stream. `item` returns whether the client will get it, and throws if it can't be sent. */
export interface StreamSink {
  item(value: unknown): boolean;
  /** Tells the client that there are no more items. */
  result(): void;
  /** The hook or its iterator failed, or an item could not be sent. Not called for errors that the cancellation caused. */
  failed(error: unknown): void;
  /** Nothing of it runs any more. */
  over(): void;
}

export class Stream extends PendingRequest {
  readonly #sink: StreamSink;
  /** Aborts when the connection ends. The `close` hook would come too late: it waits for the connection's other hooks. */
  readonly #connection: AbortSignal;
  readonly #lost = (): void => this.cancel();
  #credit: number;
  #iterator: AsyncIterator<unknown> | undefined;
  #asking = false;

  constructor(credit: number, connection: AbortSignal, sink: StreamSink) {
    super();
    this.#credit = credit;
    this.#sink = sink;
    this.#connection = connection;
    connection.addEventListener("abort", this.#lost);
  }

  /** Starts to send the items. @param items what the hook returned. */
  begin(name: string, items: unknown): void {
    try {
      const given = items as Partial<AsyncIterable<unknown>> | null | undefined;
      if (typeof given?.[Symbol.asyncIterator] !== "function") {
        throw new TypeError(`hook requests.${name} must return an async iterable, as an async generator does (async function*) [EW553]`);
      }
      this.#iterator = (given as AsyncIterable<unknown>)[Symbol.asyncIterator]();
    } catch (error) {
      return this.fail(error);
    }
    if (this.cancelled) this.#return();
    else void this.#ask(this.#iterator);
  }

  /** More credit. Returns false, and adds nothing, if there would be too much. */
  add(credit: number): boolean {
    if (this.#credit + credit > maxCredit) return false;
    this.#credit += credit;
    if (this.#iterator !== undefined && !this.cancelled) void this.#ask(this.#iterator);
    return true;
  }

  override cancel(): void {
    if (this.cancelled) return;
    super.cancel();
    if (this.#iterator !== undefined) this.#return();
  }

  /** The hook failed before there was an iterator, or the iterator did: it has ended. */
  fail(error: unknown): void {
    this.#report(error);
    this.#end();
  }

  /** One at a time. An iterator is asked for the next item only if that may be sent. */
  async #ask(iterator: AsyncIterator<unknown>): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    while (this.#credit > 0 && (await this.#next(iterator)));
    this.#asking = false;
  }

  /** Sends the next item. Returns whether there may be more. Never rejects. */
  async #next(iterator: AsyncIterator<unknown>): Promise<boolean> {
    let next: IteratorResult<unknown>;
    try {
      next = await iterator.next();
      if (next.done === true) {
        if (!this.cancelled) {
          this.#sink.result();
          this.#end();
        }
        return false;
      }
    } catch (error) {
      // If it was cancelled, its end is that of `return`.
      if (this.cancelled) this.#report(error);
      else this.fail(error);
      return false;
    }
    if (this.cancelled) return false;
    this.#credit--;
    try {
      if (!this.#sink.item(next.value)) this.cancel();
    } catch (error) {
      this.#report(error);
      this.cancel();
    }
    return !this.cancelled;
  }

  /** Ends the iterator. If its `return` never settles, the stream counts as running, and nobody waits for it. */
  #return(): void {
    const end = (): void => this.#end();
    // Asynchronous: an iterator of any making may throw, or be slow.
    void (async () => this.#iterator?.return?.())()
      .catch((error: unknown) => this.#report(error))
      .then(end);
  }

  #report(error: unknown): void {
    if (!this.caused(error)) this.#sink.failed(error);
  }

  #end(): void {
    this.#connection.removeEventListener("abort", this.#lost);
    this.#sink.over();
  }
}
