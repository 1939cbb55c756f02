/**
 * Sockets that only we can close: what the HTTP server has handed over, or does not know yet (a TLS handshake), is none of its
 * connections any more, and would keep it from closing.
 */
import type { Server } from "node:net";
import type { Duplex } from "node:stream";

export class Sockets {
  readonly #open = new Set<Duplex>();
  #emptied: (() => void) | undefined;
  /** One for all of them. */
  readonly #closed: (this: Duplex) => void;

  constructor() {
    const remove = (socket: Duplex): void => this.delete(socket);
    this.#closed = function (): void {
      remove(this);
    };
  }

  /** @param isTold whether the caller calls `delete` when it closes: otherwise that is noticed here. */
  add(socket: Duplex, isTold = false): void {
    if (socket.destroyed) return;
    this.#open.add(socket);
    if (!isTold) socket.on("close", this.#closed);
  }

  /** It is somebody else's now. */
  delete(socket: Duplex): void {
    if (!this.#open.delete(socket)) return;
    socket.off("close", this.#closed);
    if (this.#open.size === 0) this.#emptied?.();
  }

  /** Settles once none is left. */
  emptied(): Promise<void> {
    return new Promise((resolve) => {
      this.#emptied = resolve;
      if (this.#open.size === 0) resolve();
    });
  }

  cut(): void {
    for (const socket of this.#open) socket.destroy();
  }
}

/** Sockets of a TLS server until their handshake is done: before, it has no connection of them. */
export function followHandshakes(server: Server, sockets: Sockets): void {
  server.on("connection", (socket) => sockets.add(socket));
  server.on("secureConnection", (secured: Duplex & { readonly _parent?: Duplex }) => {
    // Where Node does not name it, it stays until it closes.
    if (secured._parent !== undefined) sockets.delete(secured._parent);
  });
}

/** Milliseconds that a refused client has to end the connection, whatever it sends meanwhile. */
const linger = 2000;

/** Ended, then given time to go: destroyed at once, with bytes unread, TCP is reset and the answer may be lost. */
export function endSocket(socket: Duplex): void {
  if (socket.destroyed) return;
  socket.end();
  const timer = setTimeout(() => socket.destroy(), linger);
  socket.once("close", () => clearTimeout(timer));
}
