/**
 * The connections of one Durable Object, by native socket. Sockets are the same objects until eviction, so messages need no attachment to be read.
 */
import type { SocketListener } from "../../src/ports.ts";
import type { Capacity } from "../../src/rooms/capacity.ts";
import type { Holder } from "../../src/connection/surroundings.ts";
import type { Server } from "../../src/server/server.ts";
import { restoreSocket } from "./socket.ts";
import type { AutoResponses } from "./socket.ts";
import { CloseCode } from "../../src/protocol/close.ts";
import { logError } from "../../src/values/log.ts";
import { closeSocket } from "../workers/close.ts";
import type { NativeSocket } from "../workers/types.ts";

/** The readyState of an open NativeSocket. */
const OPEN = 1;

export class ObjectConnections {
  readonly #server: Server;
  readonly #ctx: AutoResponses;
  /** Not a WeakMap, which makes waking slower. A connection that has ended stays until its client closes the socket. */
  readonly #connections = new Map<NativeSocket, SocketListener>();
  /** Sockets that are still open although their connection had ended before the last eviction. Created on first use. */
  #lingering: Map<NativeSocket, Holder> | undefined;

  /** @param sockets that survived the eviction, in the order in which they were accepted. */
  constructor(server: Server, ctx: AutoResponses, sockets: readonly NativeSocket[]) {
    this.#server = server;
    this.#ctx = ctx;
    for (const ws of sockets) this.#restore(ws);
    // Closed before the eviction, but that could not be stored. A close by the client is an event, and until then its socket is open (workerd,
    // measured).
    for (const [ws, connection] of this.#connections)
      if (ws.readyState !== OPEN && connection.phase === "open") void connection.violated(CloseCode.abnormal);
  }

  add(ws: NativeSocket, connection: SocketListener): void {
    this.#connections.set(ws, connection);
  }

  /**
   * Undefined for a socket that is not Edgewire's. The close that wakes an object may be for a socket that `getWebSockets` no longer lists (seen
   * under Cloudflare's vitest plugin).
   */
  of(ws: NativeSocket): SocketListener | undefined {
    return this.#connections.get(ws) ?? (this.#lingering?.has(ws) === true ? undefined : this.#restoreLate(ws));
  }

  #restoreLate(ws: NativeSocket): SocketListener | undefined {
    const connection = this.#restore(ws);
    void connection?.woke();
    return connection;
  }

  /** Removes a closed socket. Returns whether it was known here. */
  remove(ws: NativeSocket): boolean {
    const holder = this.#lingering?.get(ws);
    if (holder !== undefined) {
      this.#lingering?.delete(ws);
      this.#capacity?.gone(holder);
    }
    return this.#connections.delete(ws) || holder !== undefined;
  }

  /**
   * The close hook has run, but workerd lists the socket until the client closes it. It is recorded, so that messages of the client don't read the
   * attachment each time.
   */
  #addLingering(ws: NativeSocket, holder: Holder): void {
    (this.#lingering ??= new Map()).set(ws, holder);
    this.#capacity?.linger(holder);
  }

  get #capacity(): Capacity | undefined {
    return this.#server.registry?.capacity;
  }

  #restore(ws: NativeSocket): SocketListener | undefined {
    try {
      const restored = restoreSocket(ws, this.#ctx);
      if (restored === undefined) return undefined;
      const connection = this.#server.restore(restored.socket, restored.stored);
      if (connection !== undefined) this.#connections.set(ws, connection);
      else this.#addLingering(ws, this.#server.holderOf(restored.stored));
      return connection;
    } catch (error) {
      // One socket that can't be restored must not prevent the object from serving all others.
      logError("a connection can't be restored [EW705]", error);
      closeSocket(ws, CloseCode.internalError, "Internal error");
      this.#addLingering(ws, { roomName: "", remoteAddress: "" });
      return undefined;
    }
  }
}
