/**
 * Limits the number of connections: of a server, of a room, of one client's address. A handshake holds a slot from before the
 * `upgrade` hook, so that slow ones don't overshoot, until its connection has ended or the handshake has failed.
 */
import { clientOf } from "../protocol/address.ts";
import { refuse } from "../protocol/refusal.ts";
import type { Settings } from "../handler/settings.ts";
import { SmallMap } from "../values/small-map.ts";
import type { Holder } from "../connection/surroundings.ts";
import type { Clock } from "../ports.ts";

/** A handshake's slot. Once accepted, it is linked into the list of those still to be opened, the oldest first. */
export interface Slot {
  /** The client, or "" if it is not counted. */
  readonly client: string;
  room: string | undefined;
  /** When the handshake was accepted, by `Clock.elapsed`. */
  accepted: number;
  /** The handshake is accepted, and neither opened nor abandoned. */
  waits: boolean;
  older: Slot | undefined;
  newer: Slot | undefined;
}

export class Capacity {
  readonly #settings: Settings;
  readonly #clock: Clock;
  readonly #taken: Count;
  /** Ended connections whose client keeps the socket, which the runtime can't cut. Created for the first one. */
  #lingering: Count | undefined;
  #oldest: Slot | undefined;
  #newest: Slot | undefined;

  constructor(settings: Settings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#taken = this.#count();
  }

  /** How many slots are taken. */
  get taken(): number {
    return this.#taken.all;
  }

  /** How many connections linger. */
  get lingering(): number {
    return this.#lingering?.all ?? 0;
  }

  /** A slot for a handshake from that address, or the refusal. */
  enter(address: string): Slot | Response {
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

  /** The handshake is accepted: its slot is kept for the connection. Returns undefined, or the refusal of a full room. */
  accept(slot: Slot, room: string): Response | undefined {
    if (isFull(this.#settings.maxConnectionsPerRoom, this.#taken.in(room), this.#lingering?.in(room)))
      return full("maxConnectionsPerRoom", "the room is full");
    slot.room = room;
    this.#taken.enter(room);
    slot.accepted = this.#clock.elapsed();
    slot.waits = true;
    slot.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = slot;
    else this.#newest.newer = slot;
    this.#newest = slot;
    return undefined;
  }

  /** The connection is open or has woken: it is counted, even if no slot was left. */
  open(connection: Holder, slot: Slot | undefined): void {
    if (slot?.waits === true) this.#unlink(slot);
    else this.#taken.add(this.#taken.clientOf(connection), connection.roomName);
  }

  /** The connection has ended. */
  close(connection: Holder): void {
    this.#taken.remove(this.#taken.clientOf(connection), connection.roomName);
  }

  /** The connection has ended, but its client keeps the socket. */
  linger(connection: Holder): void {
    const lingering = (this.#lingering ??= this.#count());
    lingering.add(lingering.clientOf(connection), connection.roomName);
  }

  /** The client has released the socket. */
  gone(connection: Holder): void {
    this.#lingering?.remove(this.#lingering.clientOf(connection), connection.roomName);
  }

  /** An accepted handshake failed. Does nothing if it was opened. */
  abandon(slot: Slot): void {
    if (!slot.waits) return;
    this.#unlink(slot);
    this.leave(slot);
  }

  /** A handshake was refused after it had entered. */
  leave({ client, room }: Slot): void {
    this.#taken.remove(client, room);
  }

  #count(): Count {
    return new Count(this.#settings.maxConnectionsPerAddress !== undefined);
  }

  #unlink(slot: Slot): void {
    const { older, newer } = slot;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    slot.older = slot.newer = undefined;
    slot.waits = false;
  }

  /** Runtimes don't report every client that left before the 101: its slot is freed once an upgrade would have timed out. */
  #expire(): void {
    if (this.#oldest === undefined) return;
    const since = this.#clock.elapsed() - this.#settings.upgradeTimeout;
    for (let slot: Slot | undefined = this.#oldest; slot !== undefined && slot.accepted <= since; slot = this.#oldest) this.abandon(slot);
  }
}

/** Lingering connections take no slots, but have a limit too: together with the open ones there may be twice as many. */
function isFull(most: number, taken: number, lingering = 0): boolean {
  return taken >= most || taken + lingering >= 2 * most;
}

/** Counts connections: in total, by room, by client. */
class Count {
  all = 0;
  readonly #rooms = new SmallMap<number>();
  /** Undefined if clients are not counted: only counting them reads a woken connection's address. */
  readonly #clients: SmallMap<number> | undefined;

  constructor(countsClients: boolean) {
    if (countsClients) this.#clients = new SmallMap();
  }

  clientAt(address: string): string {
    return this.#clients === undefined ? "" : clientIn(address);
  }

  clientOf(connection: Holder): string {
    return this.#clients === undefined ? "" : clientIn(connection.remoteAddress);
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

  /** For one that was added without a room. */
  enter(room: string): void {
    add(this.#rooms, room);
  }

  remove(client: string, room: string | undefined): void {
    this.all--;
    remove(this.#clients, client);
    if (room !== undefined) remove(this.#rooms, room);
  }
}

/** Connections with an unknown address don't count as one client. */
function clientIn(address: string): string {
  return address === "" ? "" : clientOf(address);
}

/** Seconds: a full server or room rarely has a free slot after just one. */
const retryAfter = "5";

function full(cause: "maxConnections" | "maxConnectionsPerRoom", why: string): Response {
  return refuse(503, why, { "retry-after": retryAfter }, cause);
}

function add(counts: SmallMap<number> | undefined, key: string): void {
  if (key !== "") counts?.set(key, (counts.get(key) ?? 0) + 1);
}

function remove(counts: SmallMap<number> | undefined, key: string): void {
  if (counts === undefined) return;
  const count = counts.get(key) ?? 0;
  if (count > 1) counts.set(key, count - 1);
  else counts.delete(key);
}
