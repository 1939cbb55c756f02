/** Limits what waits behind a slow asynchronous hook. Created when a connection's first message has to wait. */
import type { Settings } from "../handler/settings.ts";
import type { Data } from "../api/connection.ts";
import type { Socket } from "../ports.ts";

export class ReceiveQueue {
  readonly #socket: Socket;
  readonly #settings: Settings;
  #messages = 0;
  /** In UTF-16 units or bytes: a limit of memory, not of bytes on the wire. */
  #length = 0;
  #paused = false;

  constructor(socket: Socket, settings: Settings) {
    this.#socket = socket;
    this.#settings = settings;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /**
   * Counts a message that has to wait; false if it is too much for a socket that can't be paused.
   * @param owes the client owes an answer, which it can only send after what it has sent before: twice as much may wait.
   */
  admit(data: Data, owes: boolean): boolean {
    const full = this.#full(owes ? 2 : 1, data.length);
    if (full && this.#socket.pause === undefined) return false;
    if (full && !this.#paused) {
      // Pausing only slows: what the runtime has already read still arrives, and is accepted.
      this.#paused = true;
      this.#socket.pause?.();
    }
    this.#messages++;
    this.#length += data.length;
    return true;
  }

  /** A message runs. One that never waited was not counted. */
  release(data: Data): void {
    if (this.#messages === 0) return;
    this.#messages--;
    this.#length -= data.length;
    if (this.#messages <= this.#settings.maxQueued / 2) this.#resume();
  }

  /** The client has been asked: its answer may be behind messages that it has not been allowed to send. */
  readOn(): void {
    if (!this.#full(2, 0)) this.#resume();
  }

  /** Nothing waits any more: the rest was discarded. */
  clear(): void {
    this.#messages = 0;
    this.#length = 0;
    this.#resume();
  }

  #full(factor: number, more: number): boolean {
    const { maxQueued, maxBuffered } = this.#settings;
    return this.#messages >= factor * maxQueued || this.#length + more > factor * maxBuffered;
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume?.();
  }
}
