/** What can be held by the gate, and what sockets and topics need of it. */
import type { Prepared, SendQueue, Socket } from "../../src/ports.ts";
import type { Sendable } from "../../src/api/connection.ts";

/** Anything but a send. */
export interface Held {
  release(): void;
  /** The turn is undone. @param missing sockets that miss something are added. */
  drop(missing: Set<Socket>): void;
}

export interface HoldingSocket extends Socket {
  /** @param data undefined if it waits in the socket's own queue. */
  release(data: Sendable | Prepared | undefined): void;
}

export interface HoldingGate {
  /** A turn has written something: what is sent waits. */
  readonly holding: boolean;
  /** Changes with each turn. */
  readonly turn: number;
  /** Messages of the turn stay in the queue until it is over. */
  holdQueue(queue: SendQueue): void;
  hold(what: HoldingSocket | Held, data?: Sendable | Prepared): void;
  /** As much as may wait is held for a socket: commits, and releases everything. */
  full(): void;
}
