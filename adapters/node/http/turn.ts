/**
 * A handshake that came behind other requests on its connection (pipelining). At its `upgrade` event Node takes its parser off the socket,
 * but not the responses that are still to be written (Node 24, lib/_http_server.js): they go first.
 */
import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { endSocket } from "./sockets.ts";

/**
 * Calls back, at once or once the earlier responses are out; never where the connection ends before, or with one of them. What the client sent
 * behind the handshake is kept until `readOn`.
 * @param within milliseconds after which the handshake is given up: it is then `late`, and the earlier responses have the connection for themselves.
 */
export function inTurn(socket: Duplex, within: number, begin: (late: boolean) => void): void {
  if (pendingOn(socket) === undefined) begin(false);
  else new Turn(socket, within, begin).wait();
}

/** The response that owns the socket. Node shows it nowhere else, and asks for it itself before it assigns another. */
function pendingOn(socket: Duplex): ServerResponse | undefined {
  return (socket as { readonly _httpMessage?: ServerResponse | null })._httpMessage ?? undefined;
}

/**
 * Node resumes a socket that it had paused for queued responses once they are out, after its parser has gone too: what came then would be
 * lost, to no listener. With this one nothing flows, until `readOn`.
 */
function hold(): void {}

const held = new WeakSet<Duplex>();

/** Whether it waits for earlier responses: then its state says nothing of other listeners. */
export function isHeld(socket: Duplex): boolean {
  return held.has(socket);
}

/** Somebody reads the socket from now on. */
export function readOn(socket: Duplex): void {
  if (!held.delete(socket)) return;
  socket.off("readable", hold);
  // Where Node had paused it nobody has it read again: nothing is added, but the next read is asked for.
  socket.push("");
}

class Turn {
  readonly #socket: Duplex;
  readonly #begin: (late: boolean) => void;
  readonly #timer: ReturnType<typeof setTimeout>;
  #late = false;

  constructor(socket: Duplex, within: number, begin: (late: boolean) => void) {
    this.#socket = socket;
    this.#begin = begin;
    this.#timer = setTimeout(() => this.#giveUp(), within);
    held.add(socket);
    socket.on("readable", hold);
    socket.on("drain", this.#drained);
    // Where other listeners were asked first, the socket may have drained meanwhile, to no listener.
    if (!socket.writableNeedDrain) this.#drained();
    socket.once("close", this.#over);
  }

  readonly wait = (): void => {
    const earlier = pendingOn(this.#socket);
    if (earlier !== undefined && !this.#socket.destroyed) return void earlier.once("close", this.wait);
    this.#over();
    if (this.#socket.destroyed) return;
    // An earlier response has announced the connection's end.
    if (this.#socket.writableEnded) return endSocket(this.#socket);
    this.#begin(this.#late);
  };

  /** Node's own listener is gone with its parser, and a response that waits for the client to read would wait for good. */
  readonly #drained = (): void => {
    const earlier = pendingOn(this.#socket);
    if (earlier?.writableNeedDrain === true) earlier.emit("drain");
  };

  readonly #over = (): void => {
    clearTimeout(this.#timer);
    this.#socket.off("drain", this.#drained).off("close", this.#over).off("end", this.#ended);
  };

  /** From now on it is as if the handshake had not come: what the client sends is nobody's, and its FIN ends the connection. */
  #giveUp(): void {
    this.#late = true;
    // Its response was taken off the socket, and never closed.
    if (pendingOn(this.#socket) === undefined) return this.wait();
    readOn(this.#socket);
    // Its FIN may have come before, to no listener.
    if (this.#socket.readableEnded) this.#ended();
    else this.#socket.on("end", this.#ended).resume();
  }

  readonly #ended = (): void => void this.#socket.end();
}

/**
 * A response behind others is closed with its socket. Node does so itself until an `upgrade` event, which takes its listener away: then nobody
 * would hear of the end of what still waits.
 */
export function closeWith(socket: Duplex, waiting: ServerResponse): void {
  let queue = queues.get(socket);
  if (queue === undefined) {
    const all = (queue = new Set());
    queues.set(socket, all);
    socket.once("close", () => all.forEach((response) => response.destroy()));
  }
  const own = queue;
  own.add(waiting);
  waiting.once("close", () => own.delete(waiting));
}

const queues = new WeakMap<Duplex, Set<ServerResponse>>();
