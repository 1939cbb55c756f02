/**
 * Tracks sockets that only we can close: the HTTP server has handed them over, or does not know them yet (during the TLS handshake). It does not
 * close them itself, and can't finish its own close while they are open.
 */
import type { Server } from "node:net";
import type { Duplex } from "node:stream";

export class Sockets {
  readonly #open = new Set<Duplex>();
  #resolveEmpty: (() => void) | undefined;
  /** One listener for all sockets. */
  readonly #closed: (this: Duplex) => void;

  constructor() {
    const remove = (socket: Duplex): void => this.delete(socket);
    this.#closed = function (): void {
      remove(this);
    };
  }

  /** @param callerDeletes whether the caller calls `delete` when the socket closes. Default: a listener here does. */
  add(socket: Duplex, callerDeletes = false): void {
    if (socket.destroyed) return;
    this.#open.add(socket);
    if (!callerDeletes) socket.on("close", this.#closed);
  }

  /** Stops tracking the socket: somebody else closes it from now on. */
  delete(socket: Duplex): void {
    if (!this.#open.delete(socket)) return;
    socket.off("close", this.#closed);
    if (this.#open.size === 0) this.#resolveEmpty?.();
  }

  /** Resolves once no socket is left. */
  whenEmpty(): Promise<void> {
    return new Promise((resolve) => {
      this.#resolveEmpty = resolve;
      if (this.#open.size === 0) resolve();
    });
  }

  destroyAll(): void {
    for (const socket of this.#open) socket.destroy();
  }
}

/** Tracks the sockets of a TLS server until their TLS handshake is done; the server itself knows them only afterwards. */
export function trackTlsHandshakes(server: Server, sockets: Sockets): void {
  server.on("connection", (socket) => sockets.add(socket));
  server.on("secureConnection", (secured: Duplex & { readonly _parent?: Duplex }) => {
    // If Node does not expose the raw socket, it stays tracked until it closes.
    if (secured._parent !== undefined) sockets.delete(secured._parent);
  });
}

/** Milliseconds that a refused client has to close the connection, whatever it sends meanwhile. */
const linger = 2000;

/** Ends the socket and destroys it later: destroying it immediately, with unread bytes, resets TCP, and the answer may be lost. */
export function endSocket(socket: Duplex): void {
  // Nobody else may listen any more, and a reset must not end the process.
  socket.on("error", ignore);
  if (socket.destroyed) return;
  socket.end();
  const timer = setTimeout(() => socket.destroy(), linger);
  socket.once("close", () => clearTimeout(timer));
}

function ignore(): void {}
