/** Deno has `bufferedAmount`, but no drain event. So one timer for each server polls it, while any connection waits for a drain. */
import type { SocketListener } from "../../src/ports.ts";
import type { Server } from "../../src/server/server.ts";
import { logError } from "../../src/values/log.ts";

/** Milliseconds between two polls: short while clients read, longer while none does. */
const shortest = 1;
const longest = 64;

export interface Watched {
  /** Undefined while its `open` hook runs. */
  readonly connection: SocketListener | undefined;
}

export class Poller {
  readonly #waiting = new Set<Watched>();
  #scheduled = false;
  #delay = shortest;

  /** Polls the connection, whose buffer may be full, until it has room again. */
  watch(socket: Watched): void {
    this.#waiting.add(socket);
    this.#delay = shortest;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.size === 0) return;
    this.#scheduled = true;
    setTimeout(this.#poll, this.#delay);
  }

  readonly #poll = (): void => {
    this.#scheduled = false;
    let drained = false;
    for (const socket of this.#waiting) {
      try {
        void socket.connection?.eased();
      } catch (error) {
        // Continue with the others; this one is polled again next time.
        logError("a drain can't be reported to its connection [EW606]", error);
      }
      // If the drain hook has filled the buffer again, keep polling.
      if (socket.connection?.wantsDrain === true) continue;
      this.#waiting.delete(socket);
      drained = true;
    }
    this.#delay = drained ? shortest : Math.min(2 * this.#delay, longest);
    this.#schedule();
  };
}

const pollers = new WeakMap<Server, Poller>();

export function pollerOf(server: Server): Poller {
  let poller = pollers.get(server);
  if (poller === undefined) pollers.set(server, (poller = new Poller()));
  return poller;
}
