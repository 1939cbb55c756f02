/** What a node has of a room: the kept entries of its topics, who is present, and what the other nodes count. */
import type { Data } from "../api/connection.ts";
import type { Joined } from "./backplane.ts";
import type { Change, NodeCounts, Present, Published } from "./feed.ts";
import { merge } from "./catch-up.ts";
import type { Incoming } from "./catch-up.ts";
import type { Question } from "./mail.ts";
import { MirrorLog } from "./mirror-log.ts";

/** Who learns of changes, in the feed's order. */
export interface MirrorHost {
  /** For the subscribers of this node. The logs have it already. @param isRepeated they have had it: only cursors move. */
  published(message: Published, isRepeated: boolean): void;
  /** The topic has a log from now on. */
  began(log: MirrorLog): void;
  /**
   * The log has lost its end, or is another: readers go on where they were, if it knows that. @param log undefined if there is none any more.
   * @param positions of what it had.
   */
  replaced(topic: string, log: MirrorLog | undefined, positions: (offset: number) => string): void;
  /** @param present undefined if the connection is not present any more. */
  presence(id: string, present: Present | undefined): void;
  /** Another server, or this one, wants to know something of this node. */
  asked(question: Question): void;
}

/** Messages that are remembered, in case they are repeated. */
const mostRecent = 256;

export class Mirror {
  readonly logs: Map<string, MirrorLog> = new Map();
  /** By the connection's id. */
  readonly present: Map<string, Present> = new Map();
  readonly counts: Map<string, NodeCounts> = new Map();
  readonly #host: MirrorHost;
  /** The last messages, by tag, the oldest first. */
  readonly #recent = new Map<string, Data>();
  /** Those that may come again. */
  #again: Map<string, Data> | undefined;

  constructor(host: MirrorHost) {
    this.#host = host;
  }

  get numbers(): ReadonlyMap<string, number> {
    return new Map(Array.from(this.logs, ([topic, { number }]) => [topic, number]));
  }

  /** Connections of all nodes but this one, or subscribers there, as last reported. */
  elsewhere(than: string, topic: string | undefined): number {
    let sum = 0;
    for (const { node, connections, topics } of this.counts.values())
      if (node !== than) sum += topic === undefined ? connections : (topics.get(topic) ?? 0);
    return sum;
  }

  /** Subscribers of all nodes but this one, by topic. */
  topicsElsewhere(than: string): ReadonlyMap<string, number> {
    const sums = new Map<string, number>();
    for (const { node, topics } of this.counts.values())
      if (node !== than) for (const [topic, count] of topics) sums.set(topic, (sums.get(topic) ?? 0) + count);
    return sums;
  }

  /** Returns false for what does not follow from what it has. */
  apply(change: Change): boolean {
    switch (change.type) {
      case "published":
        return this.#published(change);
      case "log":
        this.#begin(change);
        return true;
      case "present":
        this.#setPresent(change.present.id, change.present);
        return true;
      case "absent":
        this.#setPresent(change.id, undefined);
        return true;
      case "counts":
        this.counts.set(change.counts.node, change.counts);
        return true;
      case "gone":
        this.#gone(change.node);
        return true;
      case "asked":
        this.#host.asked(change.question);
        return true;
    }
  }

  #published(message: Published): boolean {
    const { entries, tag, payload, except, time } = message;
    const fits = entries.every(({ topic, offset }) => this.logs.get(topic)?.head === offset - 1);
    if (!fits) return false;
    for (const { topic, offset, first } of entries) {
      const log = this.logs.get(topic);
      log?.append({ offset, tag, payload, except, time });
      log?.trim(first);
    }
    this.#tell(message);
    return true;
  }

  /** The backplane has lost its end: what it had carried out may be repeated. */
  rewound(): void {
    this.#again = new Map(this.#recent);
  }

  #tell(message: Published): void {
    const { tag, payload } = message;
    const had = this.#again?.get(tag);
    this.#host.published(message, had !== undefined && isEqual(had, payload));
    this.#recent.delete(tag);
    this.#recent.set(tag, payload);
    const [oldest] = this.#recent.keys();
    if (oldest === undefined || this.#recent.size <= mostRecent) return;
    this.#recent.delete(oldest);
    // All that could come again was followed by as many others.
    if (this.#again?.has(oldest) === true) this.#again = undefined;
  }

  #begin({ topic, number, epoch }: Change & { readonly type: "log" }): void {
    const known = this.logs.get(topic);
    const log = new MirrorLog(topic, number, epoch);
    if (known === undefined) {
      this.logs.set(topic, log);
      return this.#host.began(log);
    }
    this.#replace(topic, { log: { topic, number, epoch, last: log.last }, isOther: true, before: log.last, entries: [] });
  }

  #gone(node: string): void {
    this.counts.delete(node);
    for (const [id, { node: of, session }] of this.present) if (of === node && session === undefined) this.#setPresent(id, undefined);
  }

  #setPresent(id: string, present: Present | undefined): void {
    if (present === undefined ? !this.present.delete(id) : isSame(this.present.get(id), present)) return;
    if (present !== undefined) this.present.set(id, present);
    this.#host.presence(id, present);
  }

  /** Takes what the room was when the node joined. @param isFirst nobody here has seen anything of it. */
  take({ logs, present, counts }: Joined, incoming: readonly Incoming[], isFirst: boolean): void {
    const there = new Set(logs.map(({ topic }) => topic));
    const fresh = incoming.map((one) => [one.log.topic, this.#takeLog(one)] as const);
    for (const topic of Array.from(this.logs.keys())) if (!there.has(topic)) this.#replace(topic, undefined);
    if (!isFirst) this.#deliver(fresh);
    const ids = new Map(present.map((one) => [one.id, one]));
    for (const id of Array.from(this.present.keys())) if (!ids.has(id)) this.#setPresent(id, undefined);
    for (const [id, one] of ids) this.#setPresent(id, one);
    this.counts.clear();
    for (const one of counts) this.counts.set(one.node, one);
  }

  /** Returns the entries that it did not have. */
  #takeLog(incoming: Incoming): Incoming["entries"] {
    const { log, isOther, before, entries } = incoming;
    const known = this.logs.get(log.topic);
    if (isOther) return this.#replace(log.topic, incoming);
    const mirror = known ?? new MirrorLog(log.topic, log.number, log.epoch);
    this.logs.set(log.topic, mirror);
    if (before.offset > mirror.head || known === undefined) mirror.skip(before);
    else mirror.trim(before.offset + 1);
    for (const entry of entries) mirror.append(entry);
    if (known === undefined) this.#host.began(mirror);
    return entries;
  }

  #replace(topic: string, incoming: Incoming | undefined): Incoming["entries"] {
    const known = this.logs.get(topic);
    const positions = known?.positions() ?? ((): string => "");
    const had = new Set(known?.entries.map(({ tag }) => tag));
    if (incoming === undefined) this.logs.delete(topic);
    else {
      const { log, before, entries } = incoming;
      // Readers hold the object for as long as its number is the same.
      const mirror = known?.number === log.number ? known : new MirrorLog(topic, log.number, log.epoch);
      mirror.replace(log.epoch, before, entries);
      this.logs.set(topic, mirror);
    }
    this.#host.replaced(topic, this.logs.get(topic), positions);
    return incoming?.entries.filter(({ tag }) => !had.has(tag)) ?? [];
  }

  #deliver(fresh: readonly (readonly [topic: string, entries: Incoming["entries"]])[]): void {
    for (const { places, entry } of merge(fresh)) {
      const { tag, payload, except, time } = entry;
      const entries = places.map(({ topic, offset }) => ({ topic, offset, first: this.#firstOf(topic) }));
      this.#tell({ type: "published", entries, topics: [], all: false, payload, except, tag, time });
    }
  }

  #firstOf(topic: string): number {
    const log = this.logs.get(topic);
    return log === undefined ? 0 : log.head - log.entries.length + 1;
  }
}

function isEqual(one: Data, other: Data): boolean {
  return typeof one === "string" || typeof other === "string" ? one === other : one.byteLength === other.byteLength;
}

function isSame(known: Present | undefined, { node, session, member, state }: Present): boolean {
  return known !== undefined && known.node === node && known.session === session && known.member === member && known.state === state;
}
