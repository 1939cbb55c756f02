/** The requests of each connection whose hooks are not done. They are only in memory: an evicted object forgets them. */
import { MessageError } from "./error.ts";
import type { RequestContext } from "./hooks.ts";

export class PendingRequest implements RequestContext {
  cancelled: boolean = false;
  #controller: AbortController | undefined;

  /** Created on first use: most hooks never need it. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.cancelled) this.#controller.abort(reason());
    return this.#controller.signal;
  }

  cancel(): void {
    this.cancelled = true;
    this.#controller?.abort(reason());
  }

  /** Whether a hook threw this error because it was cancelled. */
  caused(error: unknown): boolean {
    return this.cancelled && (error === this.#controller?.signal.reason || (error as Error | undefined)?.name === "AbortError");
  }
}

function reason(): MessageError {
  return new MessageError("cancelled", "The client no longer waits for the result [EW550]");
}

export class PendingRequests<Connection extends object> {
  readonly #requests = new WeakMap<Connection, Map<number, PendingRequest>>();

  count(connection: Connection): number {
    return this.#requests.get(connection)?.size ?? 0;
  }

  get(connection: Connection, id: number): PendingRequest | undefined {
    return this.#requests.get(connection)?.get(id);
  }

  start<Request extends PendingRequest>(connection: Connection, id: number, request: Request): Request {
    const pending = this.#requests.get(connection);
    if (pending === undefined) this.#requests.set(connection, new Map([[id, request]]));
    else pending.set(id, request);
    return request;
  }

  end(connection: Connection, id: number): void {
    this.#requests.get(connection)?.delete(id);
  }

  /** The request stays, and counts, until its hook is done. Does nothing if it was answered, or was forgotten by an eviction. */
  cancel(connection: Connection, id: number): void {
    this.get(connection, id)?.cancel();
  }

  cancelAll(connection: Connection): void {
    for (const request of this.#requests.get(connection)?.values() ?? []) request.cancel();
  }
}
