/**
 * Fan-out by the runtime itself, if it has its own topics (`Runtime.fanout`; Bun). A publish is then one call and one encoding, and
 * everything published in a turn leaves in one write per socket: a burst costs a tenth of a loop of sends (docs/maintainers/publish-costs.md has the numbers).
 *
 * The index remains authoritative, and the difference must not be visible. The runtime sends at the end of the turn and does not report on
 * single sockets, so two rules handle a client that does not read:
 * - A connection for which anything waits takes no part. A publish reports whether there is one; then all are checked, and that one
 *   is sent to directly until it has read everything.
 * - What one turn may queue for any connection stays below `highWaterMark`. Beyond that, all are sent to directly, which first hands
 *   over what was queued for them.
 * So less than twice `highWaterMark` waits for a client before it is noticed; that must not be more than `maxBuffered`.
 */
import type { Counters } from "../handler/counters.ts";
import type { Settings } from "../handler/settings.ts";
import type { Connection } from "../connection/connection.ts";
import type { NativeFanout } from "../connection/surroundings.ts";
import { lengthOf, mostOnWire, sizeAtMost } from "../values/data.ts";
import { sendToAll } from "./deliver.ts";
import type { Delivery } from "./deliver.ts";
import type { Audience, Except, IndexWatcher, RoomIndex } from "./room-index.ts";
import type { Sendable } from "../api/connection.ts";
import type { NativeTopics } from "../ports.ts";

/** The runtime's topic for an audience. */
interface Channel {
  readonly name: string;
  /** The value of `Fanout.published` when nothing was queued for any of its subscribers. */
  emptied: number;
}

/** For a single subscriber, fan-out would not save a call. */
const fewest = 2;

/** What is needed of the registry. */
export interface FanoutRooms<State, Env> {
  readonly host: Delivery & { readonly settings: Settings };
  readonly index: Pick<RoomIndex<State, Env>, "setsOf">;
  find(id: string): Connection<State, Env> | undefined;
  counters(room: string): Counters;
}

/** Undefined if a server's options leave no room for it. */
export type FanoutOf = <State, Env>(rooms: FanoutRooms<State, Env>) => Fanout<State, Env> | undefined;

/** What a runtime passes to the core as its `fanout`. */
export function through(topics: NativeTopics): FanoutOf {
  return (rooms) => {
    const { highWaterMark, maxBuffered } = rooms.host.settings;
    return 2 * highWaterMark <= maxBuffered ? new Fanout(rooms, topics) : undefined;
  };
}

export class Fanout<State, Env> implements IndexWatcher<State, Env>, NativeFanout<State, Env> {
  readonly #rooms: FanoutRooms<State, Env>;
  readonly #topics: NativeTopics;
  /** Channels of audiences that were published to. */
  readonly #channels = new WeakMap<Audience<State, Env>, Channel>();
  /** Connections for which something waits. */
  readonly #direct = new Set<Connection<State, Env>>();
  /** The value of `published` when nothing was queued for anyone. */
  #emptied = 0;
  #emptying = false;
  /** Upper bound of the bytes ever sent to any one connection in this way. */
  published = 0;

  constructor(rooms: FanoutRooms<State, Env>, topics: NativeTopics) {
    this.#rooms = rooms;
    this.#topics =
      rooms.host.runtime.gate?.topics(topics, (audience) => this.#settleWaiting(audience as Iterable<Connection<State, Env>>)) ?? topics;
  }

  /** Upper bound of the bytes queued for any one connection, until the turn ends. */
  get queued(): number {
    return this.published - this.#emptied;
  }

  /** Called by the index: the connection has joined a set. */
  joined(audience: Audience<State, Env>, connection: Connection<State, Env>): void {
    const channel = this.#channels.get(audience);
    if (channel === undefined || this.#direct.has(connection)) return;
    // Something may be queued for it.
    channel.emptied = Math.min(channel.emptied, this.#emptied);
    this.#topics.subscribe(connection.socket, channel.name);
  }

  /** Called by the index: it has left a set. */
  left(audience: Audience<State, Env>, connection: Connection<State, Env>): void {
    const channel = this.#channels.get(audience);
    if (channel !== undefined) this.#topics.unsubscribe(connection.socket, channel.name);
  }

  /** Called by the index: it is in no set any more. */
  forget(connection: Connection<State, Env>): void {
    this.#direct.delete(connection);
  }

  /** Sends to all but `except`; returns how many took it. Undefined if each must be sent to directly: nothing was done. */
  publish(
    audience: Audience<State, Env>,
    data: Sendable,
    except: Except<State, Env>,
    topic: string | undefined,
    key: string | undefined,
  ): number | undefined {
    const { settings } = this.#rooms.host;
    const excepted = this.#find(audience, except);
    // For an empty message, the runtime's answer does not say whether something waits.
    if (excepted === "several" || audience.size < fewest || lengthOf(data) === 0) return undefined;
    const channel = this.#channels.get(audience) ?? this.#open(audience);
    const room = settings.highWaterMark - (this.published - Math.max(channel.emptied, this.#emptied));
    if (sizeAtMost(data, room) + frameHeader >= room) {
      if (excepted !== undefined) this.settle(excepted);
      channel.emptied = this.published;
      return undefined;
    }
    const direct = this.#directOf(audience);
    const sender = excepted === undefined || direct?.has(excepted) === true ? undefined : excepted;
    const bytes = this.#topics.publish(channel.name, data, {
      except: sender?.socket,
      compress: settings.compression,
      audience,
    });
    this.#queue(bytes > 0 ? bytes + frameHeader : bytes < 0 ? mostOnWire(data) : 0);
    let reached = this.#count(audience, data, direct, sender);
    if (bytes < 0) this.#settleWaiting(audience);
    if (direct !== undefined) reached += sendToAll(this.#rooms.host, direct, data, except, topic, key);
    return reached;
  }

  /** Hands what is queued for the connection to its socket. It stays in the fan-out if nothing waits there. */
  settle(connection: Connection<State, Env>): void {
    // A connection that has left is in no set: nothing is queued for it, and nothing would remove it from `#direct` again.
    if (this.#direct.has(connection) || connection.phase !== "open") return;
    this.leave(connection);
    if (connection.socket.buffered === 0) this.#rejoin(connection);
    else connection.measure();
  }

  /** Something waits for at least one of them. */
  #settleWaiting(audience: Iterable<Connection<State, Env>>): void {
    for (const connection of audience) if (!this.#direct.has(connection) && connection.socket.buffered !== 0) this.settle(connection);
  }

  /** Something is waiting for the connection: it leaves the fan-out. */
  leave(connection: Connection<State, Env>): void {
    if (this.#direct.has(connection)) return;
    this.#direct.add(connection);
    // When a socket leaves its last topic, the runtime hands over what is queued for it (Bun 1.4.5, measured; oven-sh/bun#32852).
    for (const { name } of this.#channelsOf(connection)) this.#topics.unsubscribe(connection.socket, name);
  }

  /** Fewer bytes wait for it than before. */
  eased(connection: Connection<State, Env>): void {
    if (this.#direct.has(connection) && connection.socket.buffered === 0) this.#rejoin(connection);
  }

  #rejoin(connection: Connection<State, Env>): void {
    this.#direct.delete(connection);
    for (const { name } of this.#channelsOf(connection)) this.#topics.subscribe(connection.socket, name);
  }

  #open(audience: Audience<State, Env>): Channel {
    const channel = { name: this.#topics.name(), emptied: this.#emptied };
    this.#channels.set(audience, channel);
    for (const connection of audience) if (!this.#direct.has(connection)) this.#topics.subscribe(connection.socket, channel.name);
    return channel;
  }

  *#channelsOf(connection: Connection<State, Env>): Iterable<Channel> {
    for (const audience of this.#rooms.index.setsOf(connection.roomName, connection)) {
      const channel = this.#channels.get(audience);
      if (channel !== undefined) yield channel;
    }
  }

  /** The connections of the audience that are sent to directly; undefined if there are none. */
  #directOf(audience: Audience<State, Env>): Set<Connection<State, Env>> | undefined {
    if (this.#direct.size === 0) return undefined;
    const [few, many] = this.#direct.size < audience.size ? [this.#direct, audience] : [audience, this.#direct];
    let found: Set<Connection<State, Env>> | undefined;
    for (const connection of few) if (many.has(connection)) (found ??= new Set()).add(connection);
    return found;
  }

  #find(audience: Audience<State, Env>, except: Except<State, Env>): Connection<State, Env> | "several" | undefined {
    if (except === undefined) return undefined;
    if (typeof except === "string") return this.#find(audience, this.#rooms.find(except));
    if (!(except instanceof Set)) return audience.has(except as Connection<State, Env>) ? (except as Connection<State, Env>) : undefined;
    const found = Array.from(except as ReadonlySet<string>, (id) => this.#find(audience, id)).filter(
      (connection) => connection !== undefined,
    );
    return found.length > 1 ? "several" : found[0];
  }

  /** Counts what was sent to the audience, except to `direct` and `sender`. */
  #count(
    audience: Audience<State, Env>,
    data: Sendable,
    direct: ReadonlySet<Connection<State, Env>> | undefined,
    sender: Connection<State, Env> | undefined,
  ): number {
    const { observe } = this.#rooms.host.settings;
    const size = lengthOf(data);
    const count = audience.size - (direct?.size ?? 0) - (sender === undefined ? 0 : 1);
    const [one] = audience;
    if (one !== undefined) this.#rooms.counters(one.roomName).sent(size, count);
    if (observe?.sent !== undefined) {
      for (const connection of audience) if (connection !== sender && direct?.has(connection) !== true) observe.sent(connection, size);
    }
    return count;
  }

  #queue(bytes: number): void {
    this.published += bytes;
    if (this.#emptying || this.queued < this.#rooms.host.settings.highWaterMark / 2) return;
    this.#emptying = true;
    const { published } = this;
    this.#topics.handedOver(() => {
      this.#emptied = published;
      this.#emptying = false;
    });
  }
}

/** The longest frame header that a server sends. */
const frameHeader = 10;
