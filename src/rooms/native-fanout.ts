/**
 * Fan-out by the runtime itself, where it has topics of its own (`Runtime.fanout`; Bun). A publish is then one call and one encoding, and
 * what a turn publishes leaves in one write a socket: a burst costs a tenth of a loop of sends (docs/rooms.md has the numbers).
 *
 * The index stays the truth, and nothing may be seen of the difference. The runtime sends when the turn ends and tells of no single socket,
 * so what holds for a client that does not read is kept by two rules:
 * - One for which anything waits has no part in it. The runtime says at a publish whether there is one; then all are looked at, and that one
 *   is sent to as everywhere else until it has read everything.
 * - What one turn may have queued for anybody stays below `highWaterMark`. Beyond it everybody is sent to as everywhere else, which hands
 *   over what was queued for them first.
 * So less than twice `highWaterMark` waits for a client before that is noticed, which may not be more than `maxBuffered`.
 */
import type { Commons } from "./registry.ts";
import type { Live } from "../connection/connection.ts";
import { lengthOf, mostOnWire, sizeAtMost } from "../values/data.ts";
import { sendToAll } from "./deliver.ts";
import type { Audience, Except } from "./index-of-rooms.ts";
import type { Sendable } from "../api/connection.ts";
import type { FanoutOf } from "../server/runtime.ts";
import type { NativeTopics } from "../ports.ts";

/** The runtime's topic for an audience. */
interface Channel {
  readonly name: string;
  /** What `Fanout.published` was when nothing was queued for any of its subscribers. */
  emptied: number;
}

/** One more call for a single subscriber would be none the fewer. */
const fewest = 2;

/** What a runtime gives the core as its `fanout`. */
export function through(topics: NativeTopics): FanoutOf {
  return (commons) => {
    const { highWaterMark, maxBuffered } = commons.server.settings;
    return 2 * highWaterMark <= maxBuffered ? new Fanout(commons, topics) : undefined;
  };
}

export class Fanout<State, Env> {
  readonly #commons: Commons<State, Env>;
  readonly #topics: NativeTopics;
  /** Of audiences that were published to. */
  readonly #channels = new WeakMap<Audience<State, Env>, Channel>();
  /** For whom something waits. */
  readonly #apart = new Set<Live<State, Env>>();
  /** What `published` was when nothing was queued for anybody. */
  #emptied = 0;
  #emptying = false;
  /** At most so many bytes were ever sent to any connection in this way. */
  published = 0;

  constructor(commons: Commons<State, Env>, topics: NativeTopics) {
    this.#commons = commons;
    this.#topics = topics;
  }

  /** At most so many bytes are queued for anybody, until the turn ends. */
  get queued(): number {
    return this.published - this.#emptied;
  }

  /** Of the index: a connection is in one set more. */
  joined(audience: Audience<State, Env>, live: Live<State, Env>): void {
    const channel = this.#channels.get(audience);
    if (channel === undefined || this.#apart.has(live)) return;
    // Something may be queued for it.
    channel.emptied = Math.min(channel.emptied, this.#emptied);
    this.#topics.subscribe(live.socket, channel.name);
  }

  /** Of the index: in one set less. */
  left(audience: Audience<State, Env>, live: Live<State, Env>): void {
    const channel = this.#channels.get(audience);
    if (channel !== undefined) this.#topics.unsubscribe(live.socket, channel.name);
  }

  /** Of the index: in no set any longer. */
  forget(live: Live<State, Env>): void {
    this.#apart.delete(live);
  }

  /** Sends to all but `except`; returns how many took it. Undefined where each has to be sent to: nothing was done. */
  publish(audience: Audience<State, Env>, data: Sendable, except: Except<State, Env>, topic: string | undefined): number | undefined {
    const { settings } = this.#commons.server;
    const excepted = this.#find(audience, except);
    // The runtime's answer to an empty message does not say whether something waits.
    if (excepted === "several" || audience.size < fewest || lengthOf(data) === 0) return undefined;
    const channel = this.#channels.get(audience) ?? this.#open(audience);
    const room = settings.highWaterMark - (this.published - Math.max(channel.emptied, this.#emptied));
    if (sizeAtMost(data, room) + frameHeader >= room) {
      if (excepted !== undefined) this.settle(excepted);
      channel.emptied = this.published;
      return undefined;
    }
    const apart = this.#apartOf(audience);
    const sender = excepted === undefined || apart?.has(excepted) === true ? undefined : excepted;
    const bytes = this.#topics.publish(channel.name, data, { except: sender?.socket, compress: settings.compression });
    this.#queue(bytes > 0 ? bytes + frameHeader : bytes < 0 ? mostOnWire(data) : 0);
    let reached = this.#count(audience, data, apart, sender);
    if (bytes < 0) for (const live of audience) if (apart?.has(live) !== true && live.socket.buffered !== 0) this.settle(live);
    if (apart !== undefined) reached += sendToAll(this.#commons.server, apart, data, except, topic);
    return reached;
  }

  /** What is queued for the connection is handed to its socket, and it has a part in this if nothing of it waits there. */
  settle(live: Live<State, Env>): void {
    // A connection that has left is in no set: nothing is queued for it, and nothing would take it out of `#apart` again.
    if (this.#apart.has(live) || live.phase !== "open") return;
    this.part(live);
    if (live.socket.buffered === 0) this.#rejoin(live);
    else live.measure();
  }

  /** Something waits for the connection. */
  part(live: Live<State, Env>): void {
    if (this.#apart.has(live)) return;
    this.#apart.add(live);
    // Unsubscribed from its last topic, a socket is handed what is queued for it (Bun 1.4.5, measured; oven-sh/bun#32852).
    for (const { name } of this.#channelsOf(live)) this.#topics.unsubscribe(live.socket, name);
  }

  /** Less waits for it than before. */
  eased(live: Live<State, Env>): void {
    if (this.#apart.has(live) && live.socket.buffered === 0) this.#rejoin(live);
  }

  #rejoin(live: Live<State, Env>): void {
    this.#apart.delete(live);
    for (const { name } of this.#channelsOf(live)) this.#topics.subscribe(live.socket, name);
  }

  #open(audience: Audience<State, Env>): Channel {
    const channel = { name: this.#topics.name(), emptied: this.#emptied };
    this.#channels.set(audience, channel);
    for (const live of audience) if (!this.#apart.has(live)) this.#topics.subscribe(live.socket, channel.name);
    return channel;
  }

  *#channelsOf(live: Live<State, Env>): Iterable<Channel> {
    for (const audience of this.#commons.index.setsOf(live.roomName, live)) {
      const channel = this.#channels.get(audience);
      if (channel !== undefined) yield channel;
    }
  }

  /** Those of the audience who are sent to one by one; undefined for nobody. */
  #apartOf(audience: Audience<State, Env>): Set<Live<State, Env>> | undefined {
    if (this.#apart.size === 0) return undefined;
    const [few, many] = this.#apart.size < audience.size ? [this.#apart, audience] : [audience, this.#apart];
    let found: Set<Live<State, Env>> | undefined;
    for (const live of few) if (many.has(live)) (found ??= new Set()).add(live);
    return found;
  }

  #find(audience: Audience<State, Env>, except: Except<State, Env>): Live<State, Env> | "several" | undefined {
    if (except === undefined) return undefined;
    if (typeof except === "string") return this.#find(audience, this.#commons.find(except));
    if (!(except instanceof Set)) return audience.has(except as Live<State, Env>) ? (except as Live<State, Env>) : undefined;
    const found = Array.from(except as ReadonlySet<string>, (id) => this.#find(audience, id)).filter((live) => live !== undefined);
    return found.length > 1 ? "several" : found[0];
  }

  /** Counts what all of the audience but those were sent. */
  #count(
    audience: Audience<State, Env>,
    data: Sendable,
    apart: ReadonlySet<Live<State, Env>> | undefined,
    sender: Live<State, Env> | undefined,
  ): number {
    const { observe } = this.#commons.server.settings;
    const size = lengthOf(data);
    const count = audience.size - (apart?.size ?? 0) - (sender === undefined ? 0 : 1);
    const [one] = audience;
    if (one !== undefined) this.#commons.counters(one.roomName).sent(size, count);
    if (observe?.sent !== undefined) {
      for (const live of audience) if (live !== sender && apart?.has(live) !== true) observe.sent(live, size);
    }
    return count;
  }

  #queue(bytes: number): void {
    this.published += bytes;
    if (this.#emptying || this.queued < this.#commons.server.settings.highWaterMark / 2) return;
    this.#emptying = true;
    const { published } = this;
    this.#topics.handedOver(() => {
      this.#emptied = published;
      this.#emptying = false;
    });
  }
}

/** The longest that a server sends. */
const frameHeader = 10;
