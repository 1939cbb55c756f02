/** A connected client, on a raw socket or in memory. */
import { deepEqual } from "node:assert/strict";
import type { Client, Event } from "./client.ts";
import { pingText } from "../../src/protocol/text-ping.ts";
import { messageFrame } from "../wire/frames.ts";

export interface Peer {
  /** The client's number within the case. */
  number: number;
  /** Its handler and room, which identify the object to evict. */
  place: string;
  /** How many messages it has sent, if known. */
  sent: number;
  /** Runs after each of its events. In the column `evicted` it evicts the object. */
  after: () => Promise<void>;
  /** The raw client. Throws if there is no wire. */
  readonly wire: Client;
  /** The selected subprotocol, or "". */
  readonly protocol: string;
  /** The values of a header of the 101. */
  headers(name: string): string[];
  send(data: string | Uint8Array): Promise<void>;
  /** Sends several messages, on a wire in one write. */
  sendAll(messages: readonly (string | Uint8Array)[]): Promise<void>;
  /** Sends text pings, on a wire in one write. They don't count as messages, because no hook gets them. */
  ping(count?: number): Promise<void>;
  close(code?: number, reason?: string): Promise<void>;
  /** Ends the connection without a close frame, on a wire with a TCP reset. */
  lose(): Promise<void>;
  next(): Promise<Event>;
  /** Stops reading, so that the server has to buffer what it sends. */
  pause(): void;
  resume(): void;
  readonly paused: boolean;
  /** Releases the client at the end of a case. */
  leave(): void;
}

export class WirePeer implements Peer {
  readonly wire: Client;
  number = 0;
  sent = 0;
  place = "";
  after: () => Promise<void> = async () => {};

  constructor(wire: Client) {
    this.wire = wire;
  }

  get protocol(): string {
    return this.wire.response.header("sec-websocket-protocol") ?? "";
  }

  headers(name: string): string[] {
    return this.wire.response.all(name);
  }

  async send(data: string | Uint8Array): Promise<void> {
    this.sent++;
    this.wire.send(data);
  }

  async sendAll(messages: readonly (string | Uint8Array)[]): Promise<void> {
    this.sent += messages.length;
    this.wire.write(Buffer.concat(messages.map(messageFrame)));
  }

  async ping(count = 1): Promise<void> {
    this.wire.write(Buffer.concat(Array.from({ length: count }, () => messageFrame(pingText))));
  }

  async close(code?: number, reason?: string): Promise<void> {
    this.wire.close(code, reason);
  }

  async lose(): Promise<void> {
    this.wire.reset();
  }

  async next(): Promise<Event> {
    const event = await this.wire.next();
    if (event.type !== "end" && event.type !== "close") await this.after();
    return event;
  }

  get paused(): boolean {
    return this.wire.socket.isPaused();
  }

  pause(): void {
    this.wire.pause();
  }

  resume(): void {
    this.wire.resume();
  }

  leave(): void {
    this.wire.leave();
  }
}

/** The next events must be these texts, in this order. */
export async function expectTexts(peer: Peer, ...texts: readonly string[]): Promise<void> {
  for (const data of texts) deepEqual(await peer.next(), { type: "text", data });
}

/** The next event must be this close. */
export async function expectClose(peer: Peer, code: number, reason = ""): Promise<void> {
  deepEqual(await peer.next(), { type: "close", code, reason });
}
