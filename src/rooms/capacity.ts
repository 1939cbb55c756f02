/**
 * How many connections there may be: of a server, of a room, of one client's address. A handshake holds its place from before the
 * `upgrade` hook on, so that slow ones don't overshoot, until its connection is over or it comes to nothing.
 */
import { clientOf } from "../protocol/address.ts";
import { refuse } from "../protocol/refusal.ts";
import type { Settings } from "../handler/settings.ts";
import { Names } from "../values/small-map.ts";
import type { Holder } from "../connection/surroundings.ts";
import type { Clock } from "../ports.ts";

/** A handshake's place; once it is accepted, a link of the chain of those that are to be opened, the oldest first. */
export interface Place {
  /** The client, or "" where it is not counted. */
  readonly client: string;
  room: string | undefined;
  /** When the handshake was accepted, by `Clock.elapsed`. */
  accepted: number;
  /** It is accepted, and neither opened nor given up. */
  waits: boolean;
  older: Place | undefined;
  newer: Place | undefined;
}

export class Capacity {
  readonly #settings: Settings;
  readonly #clock: Clock;
  readonly #taken: Count;
  /** Connections that have ended while their client keeps the socket, which the runtime can't cut. Created for the first. */
  #lingering: Count | undefined;
  #oldest: Place | undefined;
  #newest: Place | undefined;

  constructor(settings: Settings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#taken = this.#count();
  }

  /** How many places are taken. */
  get taken(): number {
    return this.#taken.all;
  }

  /** How many connections linger. */
  get lingering(): number {
    return this.#lingering?.all ?? 0;
  }

  /** A place for a handshake from that address, or the refusal. */
  enter(address: string): Place | Response {
    this.#expire();
    const { maxConnections, maxConnectionsPerAddress = Number.POSITIVE_INFINITY } = this.#settings;
    if (isFull(maxConnections, this.taken, this.lingering)) return full("maxConnections", "the server is full");
    const client = this.#taken.clientAt(address);
    if (isFull(maxConnectionsPerAddress, this.#taken.of(client), this.#lingering?.of(client))) {
      return refuse(429, "too many connections from this address", { "retry-after": retryAfter }, "maxConnectionsPerAddress");
    }
    this.#taken.add(client, undefined);
    return { client, room: undefined, accepted: 0, waits: false, older: undefined, newer: undefined };
  }

  /** The handshake is accepted: its place is kept for its connection. Undefined, or the refusal of a full room. */
  accept(place: Place, room: string): Response | undefined {
    if (isFull(this.#settings.maxConnectionsPerRoom, this.#taken.in(room), this.#lingering?.in(room)))
      return full("maxConnectionsPerRoom", "the room is full");
    place.room = room;
    this.#taken.enter(room);
    place.accepted = this.#clock.elapsed();
    place.waits = true;
    place.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = place;
    else this.#newest.newer = place;
    this.#newest = place;
    return undefined;
  }

  /** The connection is open, or has woken: it is counted, whether or not there was a place left. */
  open(live: Holder, place: Place | undefined): void {
    if (place?.waits === true) this.#unlink(place);
    else this.#taken.add(this.#taken.clientOf(live), live.roomName);
  }

  /** The connection is over. */
  close(live: Holder): void {
    this.#taken.remove(this.#taken.clientOf(live), live.roomName);
  }

  /** The connection has ended, and its client keeps the socket. */
  linger(live: Holder): void {
    const lingering = (this.#lingering ??= this.#count());
    lingering.add(lingering.clientOf(live), live.roomName);
  }

  /** The client has let the socket go. */
  gone(live: Holder): void {
    this.#lingering?.remove(this.#lingering.clientOf(live), live.roomName);
  }

  /** An accepted handshake came to nothing; nothing where it was opened. */
  abandon(place: Place): void {
    if (!place.waits) return;
    this.#unlink(place);
    this.leave(place);
  }

  /** A handshake is refused after all. */
  leave({ client, room }: Place): void {
    this.#taken.remove(client, room);
  }

  #count(): Count {
    return new Count(this.#settings.maxConnectionsPerAddress !== undefined);
  }

  #unlink(place: Place): void {
    const { older, newer } = place;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    place.older = place.newer = undefined;
    place.waits = false;
  }

  /** Runtimes do not tell of every client that left before the 101: its place is free once an upgrade would have timed out. */
  #expire(): void {
    if (this.#oldest === undefined) return;
    const since = this.#clock.elapsed() - this.#settings.upgradeTimeout;
    for (let place: Place | undefined = this.#oldest; place !== undefined && place.accepted <= since; place = this.#oldest)
      this.abandon(place);
  }
}

/** Lingering connections take no place of others, but they are bounded too: with the open ones there may be twice as many. */
function isFull(most: number, taken: number, lingering = 0): boolean {
  return taken >= most || taken + lingering >= 2 * most;
}

/** How many there are: in all, in a room, of a client. */
class Count {
  all = 0;
  readonly #rooms = new Names<number>();
  /** Where clients are counted: only there is a woken connection's address read. */
  readonly #clients: Names<number> | undefined;

  constructor(countsClients: boolean) {
    if (countsClients) this.#clients = new Names();
  }

  clientAt(address: string): string {
    return this.#clients === undefined ? "" : clientIn(address);
  }

  clientOf(live: Holder): string {
    return this.#clients === undefined ? "" : clientIn(live.remoteAddress);
  }

  of(client: string): number {
    return this.#clients?.get(client) ?? 0;
  }

  in(room: string): number {
    return this.#rooms.get(room) ?? 0;
  }

  add(client: string, room: string | undefined): void {
    this.all++;
    add(this.#clients, client);
    if (room !== undefined) this.enter(room);
  }

  /** One that was added without a room. */
  enter(room: string): void {
    add(this.#rooms, room);
  }

  remove(client: string, room: string | undefined): void {
    this.all--;
    remove(this.#clients, client);
    if (room !== undefined) remove(this.#rooms, room);
  }
}

/** An address that nobody knows is not one client. */
function clientIn(address: string): string {
  return address === "" ? "" : clientOf(address);
}

/** Seconds: what is full now is not empty in one. */
const retryAfter = "5";

function full(cause: "maxConnections" | "maxConnectionsPerRoom", why: string): Response {
  return refuse(503, why, { "retry-after": retryAfter }, cause);
}

function add(counts: Names<number> | undefined, key: string): void {
  if (key !== "") counts?.set(key, (counts.get(key) ?? 0) + 1);
}

function remove(counts: Names<number> | undefined, key: string): void {
  if (counts === undefined) return;
  const count = counts.get(key) ?? 0;
  if (count > 1) counts.set(key, count - 1);
  else counts.delete(key);
}
