/** The connections of one Durable Object by their native sockets, which stay the same objects until eviction: no attachment is read for a message. */
import type { SocketListener } from "../../src/ports.ts";
import type { Capacity } from "../../src/rooms/capacity.ts";
import type { Holder } from "../../src/connection/surroundings.ts";
import type { Server } from "../../src/server/server.ts";
import { wake } from "./socket.ts";
import type { Pinger } from "./socket.ts";
import { CloseCode } from "../../src/protocol/close.ts";
import { logError } from "../../src/values/log.ts";
import { closeSocket } from "../workers/close.ts";
import type { NativeSocket } from "../workers/types.ts";

/** NativeSocket's readyState. */
const OPEN = 1;

export class ObjectConnections {
  readonly #server: Server;
  readonly #ctx: Pinger;
  /** A WeakMap costs a wake more. A connection that has ended stays until its client lets the socket go. */
  readonly #connections = new Map<NativeSocket, SocketListener>();
  /** Connections that had ended before the last eviction, and still linger. Created for the first. */
  #over: Map<NativeSocket, Holder> | undefined;

  /** @param sockets that outlived the object's memory, in the order in which they came. */
  constructor(server: Server, ctx: Pinger, sockets: readonly NativeSocket[]) {
    this.#server = server;
    this.#ctx = ctx;
    for (const ws of sockets) this.#restore(ws);
    // Closed by a former life that could not store it. A client's own close is an event, before which its socket is still open (workerd, measured).
    for (const [ws, connection] of this.#connections)
      if (ws.readyState !== OPEN && connection.phase === "open") void connection.violated(CloseCode.abnormal);
  }

  add(ws: NativeSocket, connection: SocketListener): void {
    this.#connections.set(ws, connection);
  }

  /** Undefined for a socket that is not ours. The close that wakes an object may be of one that `getWebSockets` no longer lists (seen under Cloudflare's vitest plugin). */
  of(ws: NativeSocket): SocketListener | undefined {
    return this.#connections.get(ws) ?? (this.#over?.has(ws) === true ? undefined : this.#restore(ws));
  }

  /** The socket is gone. Returns whether it was ours. */
  forget(ws: NativeSocket): boolean {
    const holder = this.#over?.get(ws);
    if (holder !== undefined) {
      this.#over?.delete(ws);
      this.#capacity?.gone(holder);
    }
    return this.#connections.delete(ws) || holder !== undefined;
  }

  /** Its close hook has run, but the platform lists the socket until the client lets it go. Remembered, so that what the client sends does not read the attachment each time. */
  #lingers(ws: NativeSocket, holder: Holder): void {
    (this.#over ??= new Map()).set(ws, holder);
    this.#capacity?.linger(holder);
  }

  get #capacity(): Capacity | undefined {
    return this.#server.registry?.capacity;
  }

  #restore(ws: NativeSocket): SocketListener | undefined {
    try {
      const restored = wake(ws, this.#ctx);
      if (restored === undefined) return undefined;
      const connection = this.#server.restore(restored.socket, restored.stored);
      if (connection !== undefined) this.#connections.set(ws, connection);
      else this.#lingers(ws, this.#server.holderOf(restored.stored));
      return connection;
    } catch (error) {
      // One socket that can't be woken must not keep the object from being made, for all the others.
      logError("a connection can't be restored", error);
      closeSocket(ws, CloseCode.internalError, "Internal error");
      this.#lingers(ws, { roomName: "", remoteAddress: "" });
      return undefined;
    }
  }
}
