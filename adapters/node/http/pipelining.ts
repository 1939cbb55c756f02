/**
 * Handles a handshake that was pipelined behind other requests on its connection. When Node emits `upgrade`, it removes its parser from the
 * socket, but responses may still be queued (Node 24, lib/_http_server.js): they are sent first.
 */
import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { endSocket } from "./sockets.ts";

/**
 * Calls back once the earlier responses are sent; synchronously if there are none; never if the connection ends first. What the client sends after
 * the handshake is kept until `resumeReading`.
 * @param timeout milliseconds after which the handshake is given up. It is then `late`: the earlier responses are still sent, and reading resumes.
 */
export function afterEarlierResponses(socket: Duplex, timeout: number, begin: (late: boolean) => void): void {
  if (currentResponse(socket) === undefined) begin(false);
  else new PipelinedHandshake(socket, timeout, begin).wait();
}

/** The response that is being written to the socket. Node has no public property for it. */
function currentResponse(socket: Duplex): ServerResponse | undefined {
  return (socket as { readonly _httpMessage?: ServerResponse | null })._httpMessage ?? undefined;
}

/**
 * A `readable` listener, which stops the flow until `resumeReading`. Node pauses a socket while responses are queued and resumes it afterwards,
 * even though its parser is gone by then: without this listener the data would be lost.
 */
function stopFlow(): void {}

const held = new WeakSet<Duplex>();

/** Whether the socket waits for earlier responses. If so, its `readableFlowing` says nothing about other listeners. */
export function isHeld(socket: Duplex): boolean {
  return held.has(socket);
}

/** Lets data flow again: the caller reads the socket from now on. */
export function resumeReading(socket: Duplex): void {
  if (!held.delete(socket)) return;
  socket.off("readable", stopFlow);
  // If Node had paused the socket, nothing makes it read again. An empty push adds no data, but requests the next read.
  socket.push("");
}

class PipelinedHandshake {
  readonly #socket: Duplex;
  readonly #begin: (late: boolean) => void;
  readonly #timer: ReturnType<typeof setTimeout>;
  #late = false;

  constructor(socket: Duplex, timeout: number, begin: (late: boolean) => void) {
    this.#socket = socket;
    this.#begin = begin;
    this.#timer = setTimeout(() => this.#giveUp(), timeout);
    held.add(socket);
    socket.on("readable", stopFlow);
    socket.on("drain", this.#drained);
    // If other listeners ran first, the socket may have drained before we listened.
    if (!socket.writableNeedDrain) this.#drained();
    socket.once("close", this.#finish);
  }

  readonly wait = (): void => {
    const earlier = currentResponse(this.#socket);
    if (earlier !== undefined && !this.#socket.destroyed) return void earlier.once("close", this.wait);
    this.#finish();
    if (this.#socket.destroyed) return;
    // An earlier response has announced the end of the connection.
    if (this.#socket.writableEnded) return endSocket(this.#socket);
    this.#begin(this.#late);
  };

  /** Node removed its own `drain` listener with its parser: a response that waits for the client to read would wait forever. */
  readonly #drained = (): void => {
    const earlier = currentResponse(this.#socket);
    if (earlier?.writableNeedDrain === true) earlier.emit("drain");
  };

  readonly #finish = (): void => {
    clearTimeout(this.#timer);
    this.#socket.off("drain", this.#drained).off("close", this.#finish).off("end", this.#ended);
  };

  /** Gives up the handshake: what the client sends is discarded, and its FIN ends the connection. */
  #giveUp(): void {
    this.#late = true;
    // The earlier response was detached from the socket without a `close` event.
    if (currentResponse(this.#socket) === undefined) return this.wait();
    resumeReading(this.#socket);
    // The client's FIN may have come before we listened.
    if (this.#socket.readableEnded) this.#ended();
    else this.#socket.on("end", this.#ended).resume();
  }

  readonly #ended = (): void => void this.#socket.end();
}

/**
 * Destroys a queued response when its socket closes. Node does that itself, but an `upgrade` event removes its listener, and the queued responses
 * would never emit `close`.
 */
export function destroyWithSocket(socket: Duplex, waiting: ServerResponse): void {
  let responses = queued.get(socket);
  if (responses === undefined) {
    const all = (responses = new Set());
    queued.set(socket, all);
    socket.once("close", () => all.forEach((response) => response.destroy()));
  }
  const own = responses;
  own.add(waiting);
  waiting.once("close", () => own.delete(waiting));
}

const queued = new WeakMap<Duplex, Set<ServerResponse>>();
