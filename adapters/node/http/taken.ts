/**
 * Whether another listener has taken the socket of an `upgrade` event: Node gives the socket to all of them, and has no way to claim it.
 * Whatever a library does with a socket, it reads it, writes to it, or ends it.
 */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { isHeld } from "./turn.ts";

/**
 * Node sets `readableFlowing` to null right before it emits `upgrade` (22.12 to 26.12, and Deno 2.9). A listener for `data` or `readable`, a
 * pipe, a pause and a resume change it.
 */
export function isTaken(socket: Duplex): boolean {
  return socket.readableFlowing !== null || !socket.writable;
}

const watched = ["error", "close", "end"] as const;

/** Compares the socket with what it was before the other listeners had it. */
export class Footprint {
  readonly #socket: Duplex;
  /** Undefined if an earlier response is still being written, or the stream does not count. */
  readonly #written: number | undefined;
  readonly #readers: number;
  readonly #watchers: readonly number[];

  constructor(socket: Duplex) {
    this.#socket = socket;
    this.#written = writtenTo(socket);
    this.#readers = socket.listenerCount("data");
    this.#watchers = watchersOf(socket);
  }

  get isTaken(): boolean {
    return !this.#socket.writable || this.isUsed;
  }

  /** Another listener reads the socket, or has written to it. */
  get isUsed(): boolean {
    if (this.#written !== undefined && writtenTo(this.#socket) !== this.#written) return true;
    return !isHeld(this.#socket) && this.#socket.readableFlowing !== null && !this.#isTapped;
  }

  /** A listener that adds nothing but `data` counts or logs bytes: to take a socket it would have to handle its errors or its end. */
  get #isTapped(): boolean {
    const { readableFlowing } = this.#socket;
    return readableFlowing === true && this.#socket.listenerCount("data") > this.#readers && !this.#new.includes(true);
  }

  /**
   * Another listener waits for the socket's end, as a proxy does while it asks another server (Vite's). `error` alone does not count: Vite adds
   * it to sockets that are not its own. Nor does `close` alone: applications add it to count their sockets.
   */
  get isWatched(): boolean {
    const [error, close] = this.#new;
    return error === true && close === true;
  }

  /** Which events of `watched` have more listeners than before. */
  get #new(): boolean[] {
    return watchersOf(this.#socket).map((count, index) => count > (this.#watchers[index] as number));
  }
}

function watchersOf(socket: Duplex): number[] {
  return watched.map((event) => socket.listenerCount(event));
}

function writtenTo(socket: Duplex): number | undefined {
  const { bytesWritten, _httpMessage: earlier } = socket as Socket & { readonly _httpMessage?: object | null };
  return earlier === undefined || earlier === null ? bytesWritten : undefined;
}
