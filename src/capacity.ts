/**
 * How many connections there may be: of a server, of a room, of one client's address. A handshake holds its place from before the
 * `upgrade` hook on, so that slow ones don't overshoot, until its connection is over or it comes to nothing.
 */
import { clientOf } from "./address.ts";
import { refuse } from "./handshake.ts";
import type { Settings } from "./limits.ts";
import type { Clock } from "./types.ts";

/** A handshake's place. */
export interface Place {
  /** The client, or "" where it is not counted. */
  readonly client: string;
  room: string | undefined;
  /** When the handshake was accepted, in milliseconds since 1970. */
  accepted: number;
}

/** A connection. */
export interface Holder {
  readonly id: string;
  readonly roomName: string;
  readonly remoteAddress: string;
}

export class Capacity {
  readonly #settings: Settings;
  readonly #clock: Clock;
  #places = 0;
  readonly #rooms = new Map<string, number>();
  /** Where clients are counted: only there is a woken connection's address read. */
  readonly #clients: Map<string, number> | undefined;
  /** Accepted handshakes by the id of the connection that is to be opened, the oldest first, but for the last. */
  #accepted: Map<string, Place> | undefined;
  /** Most handshakes are opened before the next is accepted, and need no map. */
  #lastId = "";
  #last: Place | undefined;

  constructor(settings: Settings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    if (settings.maxConnectionsPerAddress !== undefined) this.#clients = new Map();
  }

  /** How many places are taken. */
  get taken(): number {
    return this.#places;
  }

  /** A place for a handshake from that address, or the refusal. */
  enter(address: string): Place | Response {
    this.#expire();
    const { maxConnections, maxConnectionsPerAddress = Number.POSITIVE_INFINITY } = this.#settings;
    if (this.#places >= maxConnections) return full("maxConnections", "the server is full");
    const client = this.#clients === undefined ? "" : clientIn(address);
    if ((this.#clients?.get(client) ?? 0) >= maxConnectionsPerAddress) {
      return refuse(429, "too many connections from this address", { "retry-after": retryAfter }, "maxConnectionsPerAddress");
    }
    this.#places++;
    add(this.#clients, client);
    return { client, room: undefined, accepted: 0 };
  }

  /** The handshake is accepted: its place is kept for the connection of that id. Undefined, or the refusal of a full room. */
  accept(place: Place, id: string, room: string): Response | undefined {
    if ((this.#rooms.get(room) ?? 0) >= this.#settings.maxConnectionsPerRoom) return full("maxConnectionsPerRoom", "the room is full");
    place.room = room;
    add(this.#rooms, room);
    place.accepted = this.#clock.now();
    if (this.#last !== undefined) (this.#accepted ??= new Map()).set(this.#lastId, this.#last);
    this.#lastId = id;
    this.#last = place;
    return undefined;
  }

  /** The connection is open, or has woken: it is counted, whether or not there was a place left. */
  open(live: Holder): void {
    if (this.#take(live.id) !== undefined) return;
    this.#places++;
    add(this.#clients, this.#clients === undefined ? "" : clientIn(live.remoteAddress));
    add(this.#rooms, live.roomName);
  }

  /** The connection is over. */
  close(live: Holder): void {
    this.leave({ client: this.#clients === undefined ? "" : clientIn(live.remoteAddress), room: live.roomName, accepted: 0 });
  }

  /** An accepted handshake came to nothing. */
  abandon(id: string): void {
    const place = this.#take(id);
    if (place !== undefined) this.leave(place);
  }

  /** Whether that connection has a place already. */
  has(id: string): boolean {
    return (this.#last !== undefined && this.#lastId === id) || this.#accepted?.has(id) === true;
  }

  leave(place: Place): void {
    this.#places--;
    remove(this.#clients, place.client);
    if (place.room !== undefined) remove(this.#rooms, place.room);
  }

  /** The place of an accepted handshake, which is one no longer. */
  #take(id: string): Place | undefined {
    const last = this.#last;
    if (last !== undefined && this.#lastId === id) {
      this.#last = undefined;
      return last;
    }
    // Of a woken connection the id was never looked up: hashing ten thousand of them takes time.
    if (this.#accepted === undefined || this.#accepted.size === 0) return undefined;
    const place = this.#accepted.get(id);
    this.#accepted.delete(id);
    return place;
  }

  /** Runtimes do not tell of every client that left before the 101: its place is free once an upgrade would have timed out. */
  #expire(): void {
    const last = this.#last;
    if (last === undefined && (this.#accepted === undefined || this.#accepted.size === 0)) return;
    const since = this.#clock.now() - this.#settings.upgradeTimeout;
    for (const [id, { accepted }] of this.#accepted ?? []) {
      if (accepted > since) return;
      this.abandon(id);
    }
    if (last !== undefined && last.accepted <= since) this.abandon(this.#lastId);
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

function add(counts: Map<string, number> | undefined, key: string): void {
  if (key !== "") counts?.set(key, (counts.get(key) ?? 0) + 1);
}

function remove(counts: Map<string, number> | undefined, key: string): void {
  if (counts === undefined) return;
  const count = counts.get(key) ?? 0;
  if (count > 1) counts.set(key, count - 1);
  else counts.delete(key);
}
