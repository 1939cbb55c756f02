/** A server's statistics, counted as things happen, at the cost of a few integer additions per message. */
import type { Phase } from "../api/connection.ts";
import type { BackplaneStats, Stats } from "../api/stats.ts";

/** What a connection reports about its current state. */
export interface Gauge {
  readonly phase: Phase;
  readonly socket: { readonly buffered: number | undefined };
  readonly queued: number;
}

/** @param parts counters whose messages are not in `counters` yet. */
export function readStats(counters: Counters, connections: Iterable<Gauge>, parts: Iterable<Counters> = []): Stats {
  let [open, buffered, queued] = [0, 0, 0];
  for (const one of connections) {
    if (one.phase === "open") open++;
    buffered += one.socket.buffered ?? 0;
    queued += one.queued;
  }
  return counters.read({ open, buffered, queued }, parts);
}

/**
 * Counters of one room, or of a server. A room's events are also added to its server's, except messages, which are the most frequent: the
 * server takes them over when the room ends.
 */
export class Counters {
  readonly #parent: Counters | undefined;
  #opened = 0;
  #closed: Map<number, number> | undefined;
  #refused: Map<string, number> | undefined;
  #received = 0;
  #receivedBytes = 0;
  #sent = 0;
  #sentBytes = 0;
  #droppedReceived = 0;
  #droppedSent = 0;
  #hookErrors = 0;

  constructor(parent?: Counters) {
    this.#parent = parent;
  }

  opened(): void {
    this.#opened++;
    this.#parent?.opened();
  }

  closed(code: number): void {
    add((this.#closed ??= new Map()), code);
    this.#parent?.closed(code);
  }

  refused(cause: string): void {
    add((this.#refused ??= new Map()), cause);
  }

  received(size: number): void {
    this.#received++;
    this.#receivedBytes += size;
  }

  sent(size: number, times = 1): void {
    this.#sent += times;
    this.#sentBytes += times * size;
  }

  dropped(direction: "received" | "sent"): void {
    if (direction === "received") this.#droppedReceived++;
    else this.#droppedSent++;
    this.#parent?.dropped(direction);
  }

  failed(): void {
    this.#hookErrors++;
    this.#parent?.failed();
  }

  /** Takes over the messages of a room that has ended. */
  take(part: Counters): void {
    this.#received += part.#received;
    this.#receivedBytes += part.#receivedBytes;
    this.#sent += part.#sent;
    this.#sentBytes += part.#sentBytes;
  }

  read(now: Pick<Stats, "open" | "buffered" | "queued">, parts: Iterable<Counters> = []): Stats {
    const messages = new Counters();
    messages.take(this);
    for (const part of parts) messages.take(part);
    return {
      open: now.open,
      opened: this.#opened,
      closed: Object.fromEntries(this.#closed ?? []),
      refused: Object.fromEntries(this.#refused ?? []),
      received: { messages: messages.#received, bytes: messages.#receivedBytes },
      sent: { messages: messages.#sent, bytes: messages.#sentBytes },
      dropped: { received: this.#droppedReceived, sent: this.#droppedSent },
      buffered: now.buffered,
      queued: now.queued,
      hookErrors: this.#hookErrors,
    };
  }
}

/** The sum of several servers' numbers. */
export function addStats(all: readonly Stats[]): Stats {
  return all.reduce(plus, new Counters().read({ open: 0, buffered: 0, queued: 0 }));
}

function plus(a: Stats, b: Stats): Stats {
  return {
    open: a.open + b.open,
    opened: a.opened + b.opened,
    closed: sum(a.closed, b.closed),
    refused: sum(a.refused, b.refused),
    received: { messages: a.received.messages + b.received.messages, bytes: a.received.bytes + b.received.bytes },
    sent: { messages: a.sent.messages + b.sent.messages, bytes: a.sent.bytes + b.sent.bytes },
    dropped: { received: a.dropped.received + b.dropped.received, sent: a.dropped.sent + b.dropped.sent },
    buffered: a.buffered + b.buffered,
    queued: a.queued + b.queued,
    hookErrors: a.hookErrors + b.hookErrors,
    ...sessions(a.delivery, b.delivery),
    ...backplanes(a.backplane, b.backplane),
  };
}

function backplanes(a: BackplaneStats | undefined, b: BackplaneStats | undefined): Pick<Stats, "backplane"> {
  const one = a ?? b;
  if (one === undefined) return {};
  if (a === undefined || b === undefined) return { backplane: one };
  return {
    backplane: {
      rooms: a.rooms + b.rooms,
      waiting: a.waiting + b.waiting,
      away: Math.max(a.away, b.away),
      impatient: a.impatient + b.impatient,
      missed: a.missed + b.missed,
    },
  };
}

function sessions(a: Stats["delivery"], b: Stats["delivery"]): Pick<Stats, "delivery"> {
  if (a === undefined || b === undefined) return { ...((a ?? b) && { delivery: (a ?? b) as NonNullable<Stats["delivery"]> }) };
  return { delivery: { live: a.live + b.live, behind: a.behind + b.behind, disconnected: a.disconnected + b.disconnected } };
}

function sum<Key extends string | number>(a: Readonly<Record<Key, number>>, b: Readonly<Record<Key, number>>): Record<Key, number> {
  const both: Record<Key, number> = { ...a };
  for (const key in b) both[key] = (both[key] ?? 0) + b[key];
  return both;
}

function add<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
