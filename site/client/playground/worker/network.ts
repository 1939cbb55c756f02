/** The network between a client and the server: it can be cut, and its reader can be slow. */
import { defineHandler } from "edgewire";
import { memory } from "edgewire/memory";
import type { Memory, MemoryWebSocket, MemoryWebSocketConstructor } from "edgewire/memory";

/** Where a handshake fails that begins while the network is cut. */
let nowhere: Memory | undefined;

export class Network {
  /** What a client's sockets are made with. */
  readonly WebSocket: MemoryWebSocketConstructor;
  #server: () => Memory | undefined;
  #socket: MemoryWebSocket | undefined;
  #isCut = false;
  #isSlow = false;

  /** @param server the one that is reached; undefined while it restarts. */
  constructor(server: () => Memory | undefined) {
    this.#server = server;
    const connect = (url: string, protocols?: string | string[]): MemoryWebSocket => this.#connect(url, protocols);
    this.WebSocket = function (url: string, protocols?: string | string[]) {
      return connect(url, protocols);
    } as unknown as MemoryWebSocketConstructor;
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  cut(isCut: boolean): void {
    this.#isCut = isCut;
    if (isCut) this.#socket?.terminate();
  }

  slow(isSlow: boolean): void {
    this.#isSlow = isSlow;
    if (isSlow) this.#socket?.pause();
    else this.#socket?.resume();
  }

  #connect(url: string, protocols?: string | string[]): MemoryWebSocket {
    const { WebSocket } = (this.#isCut ? undefined : this.#server()) ?? (nowhere ??= refusing());
    const socket = (this.#socket = new WebSocket(url, protocols));
    if (this.#isSlow) socket.pause();
    return socket;
  }
}

function refusing(): Memory {
  return memory(defineHandler({ upgrade: () => new Response(null, { status: 503 }) }));
}
