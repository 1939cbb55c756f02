/**
 * Whether somebody else has taken the socket of an `upgrade` event: each of the server's listeners is given it, and Node does not know whose
 * it is. Whatever a library does with a socket, it reads it, writes to it, or ends it.
 */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/**
 * Node sets `readableFlowing` to null right before it emits `upgrade` (22.12 to 26.12, and Deno 2.9); a listener for `data` or `readable`, a
 * pipe, a pause and a resume make something else of it.
 */
export function isTaken(socket: Duplex): boolean {
  return socket.readableFlowing !== null || !socket.writable;
}

const watched = ["error", "close", "end"] as const;

/** The same, by comparison with how the socket was before the other listeners had it. */
export class Footprint {
  readonly #socket: Duplex;
  /** Undefined where an earlier answer is still being written, or the stream does not say. */
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

  /** Somebody reads it, or has written to it. */
  get isUsed(): boolean {
    if (this.#written !== undefined && writtenTo(this.#socket) !== this.#written) return true;
    return this.#socket.readableFlowing !== null && !this.#isTapped;
  }

  /** A listener for `data` alone counts bytes, or logs them: who takes a socket has to listen for its end or its errors. */
  get #isTapped(): boolean {
    const { readableFlowing } = this.#socket;
    return readableFlowing === true && this.#socket.listenerCount("data") > this.#readers && !this.#new.includes(true);
  }

  /**
   * Somebody waits for its end, as a proxy does while it asks another server (Vite's). A listener for `error` alone is what Vite adds to sockets
   * that are not its own, one for `close` alone what an application adds that counts its sockets.
   */
  get isWatched(): boolean {
    const [error, close] = this.#new;
    return error === true && close === true;
  }

  /** Which of `watched` have listeners that were not there before. */
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
