/**
 * Detects whether another listener has claimed the socket of an `upgrade` event. Node gives the socket to all listeners, and has no way to claim
 * it. But a library that takes a socket reads it, writes to it, or ends it.
 */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { isHeld } from "./pipelining.ts";

/**
 * Node sets `readableFlowing` to null right before it emits `upgrade` (22.12 to 26.12, and Deno 2.9). It changes with a listener for `data` or
 * `readable`, a pipe, a pause or a resume.
 */
export function isClaimed(socket: Duplex): boolean {
  return socket.readableFlowing !== null || !socket.writable;
}

const watchedEvents = ["error", "close", "end"] as const;

/** Compares the socket with its state before the other listeners got it. */
export class ClaimDetector {
  readonly #socket: Duplex;
  /** Undefined if an earlier response is still being written, or the stream has no `bytesWritten`. */
  readonly #written: number | undefined;
  readonly #readers: number;
  readonly #watchers: readonly number[];

  constructor(socket: Duplex) {
    this.#socket = socket;
    this.#written = bytesWrittenTo(socket);
    this.#readers = socket.listenerCount("data");
    this.#watchers = watcherCounts(socket);
  }

  get isClaimed(): boolean {
    return !this.#socket.writable || this.isUsed;
  }

  /** Whether another listener reads the socket, or has written to it. */
  get isUsed(): boolean {
    if (this.#written !== undefined && bytesWrittenTo(this.#socket) !== this.#written) return true;
    return !isHeld(this.#socket) && this.#socket.readableFlowing !== null && !this.#isTapped;
  }

  /** A listener that only adds `data` counts or logs bytes: to use the socket it would also have to handle its errors or its end. */
  get #isTapped(): boolean {
    const { readableFlowing } = this.#socket;
    return readableFlowing === true && this.#socket.listenerCount("data") > this.#readers && !this.#hasMore.includes(true);
  }

  /**
   * Whether another listener waits for the end of the socket, as a proxy (Vite's) does while it asks another server. `error` alone does not
   * count: Vite adds it to sockets that are not its own. `close` alone does not either: applications use it to count their sockets.
   */
  get isWatched(): boolean {
    const [error, close] = this.#hasMore;
    return error === true && close === true;
  }

  /** For each event in `watchedEvents`: whether it has more listeners than before. */
  get #hasMore(): boolean[] {
    return watcherCounts(this.#socket).map((count, index) => count > (this.#watchers[index] as number));
  }
}

function watcherCounts(socket: Duplex): number[] {
  return watchedEvents.map((event) => socket.listenerCount(event));
}

function bytesWrittenTo(socket: Duplex): number | undefined {
  const { bytesWritten, _httpMessage: earlier } = socket as Socket & { readonly _httpMessage?: object | null };
  return earlier === undefined || earlier === null ? bytesWritten : undefined;
}
