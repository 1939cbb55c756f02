/** Deno tells how much waits to be sent, but not when that changes: one timer a server asks, while anyone wants to know. */
import type { SocketListener } from "../../src/ports.ts";
import type { Server } from "../../src/server/server.ts";
import { logError } from "../../src/values/log.ts";

/** Milliseconds between two looks: short while clients read, longer while none does. */
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

  /** The connection's buffer may be full: look again until it is not. */
  watch(socket: Watched): void {
    this.#waiting.add(socket);
    this.#delay = shortest;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.size === 0) return;
    this.#scheduled = true;
    setTimeout(this.#look, this.#delay);
  }

  readonly #look = (): void => {
    this.#scheduled = false;
    let drained = false;
    for (const socket of this.#waiting) {
      try {
        void socket.connection?.eased();
      } catch (error) {
        // The others are looked at all the same, and so is this one the next time.
        logError("a connection that has room again can't be told", error);
      }
      // A hook that filled the buffer again wants the next drain, and stays.
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
