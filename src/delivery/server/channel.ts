/**
 * The runtime's own topic for the readers of one log, if it has topics (Bun): one call sends a frame to all, and everything of a turn leaves in one write per
 * socket. It holds those readers that are live and have room; the others are sent to one by one, or read on. What a runtime has queued for a socket goes
 * before what that is sent directly, so the order is kept. What is sent in this way counts in a client's window as usual: no more can wait for it.
 */
import type { Data } from "../../api/connection.ts";
import type { NativeTopics, Socket } from "../../ports.ts";
import type { LogChannel, ReadingState } from "./types.ts";

/** For a single reader it would not save a call. */
const fewest = 2;

export class Channel implements LogChannel {
  readonly #topics: NativeTopics;
  readonly #name: string;
  readonly #compress: boolean;
  /** By the connection's id. */
  readonly #members = new Map<string, { readonly reading: { state: ReadingState }; readonly socket: Socket }>();

  constructor(topics: NativeTopics, compress: boolean) {
    this.#topics = topics;
    this.#name = topics.name();
    this.#compress = compress;
  }

  /** From the next frame on. */
  join(id: string, reading: { state: ReadingState }, socket: Socket): void {
    this.#members.set(id, { reading, socket });
    reading.state = "shared";
    this.#topics.subscribe(socket, this.#name);
  }

  leave(id: string): void {
    const member = this.#members.get(id);
    if (member === undefined) return;
    this.#members.delete(id);
    member.reading.state = "live";
    this.#topics.unsubscribe(member.socket, this.#name);
  }

  /** Sends to all members, which those that it is not for leave. Returns false if each is to be sent to: nothing was sent. */
  publish(frame: Data, except: string | ReadonlySet<string> | undefined): boolean {
    for (const id of typeof except === "string" ? [except] : (except ?? [])) this.leave(id);
    if (this.#members.size < fewest) return false;
    this.#topics.publish(this.#name, frame, { except: undefined, compress: this.#compress, audience: [] });
    return true;
  }
}
