/** The newest message of each topic, or of each of its keys, for a slow consumer. Created when the first message has to wait. */
import type { Sendable } from "../api/connection.ts";
import type { Prepared } from "../ports.ts";
import { sizeAtMost } from "../values/data.ts";
import { ownText } from "../values/text.ts";

/** A topic's slots: that of its messages without a key, and one for each key. */
interface TopicSlots {
  readonly topic: string;
  unkeyed: Slot | undefined;
  keyed: Map<string, Slot> | undefined;
}

/** A message that waits, until a newer one replaces it. */
interface Slot {
  readonly of: TopicSlots;
  readonly key: string | undefined;
  data: Sendable | Prepared;
  /** What it counts for. */
  bytes: number;
}

/** Bytes that a key's slot takes in memory besides its message and its key, rounded up. Topics are few (`maxTopics`), keys any number. */
const keyCost = 256;

export class Coalescing {
  /** In the order in which they began to wait: a topic or key with constant messages takes its turn like the others. */
  readonly #slots = new Set<Slot>();
  readonly #topics = new Map<string, TopicSlots>();
  /** What all messages and keys count for. */
  bytes = 0;

  get size(): number {
    return this.#slots.size;
  }

  keep(topic: string, key: string | undefined, data: Sendable | Prepared): void {
    const of = this.#topics.get(topic) ?? this.#open(ownText(topic));
    const slot = (key === undefined ? of.unkeyed : of.keyed?.get(key)) ?? this.#add(of, key);
    const more = sizeAtMost(data) - sizeAtMost(slot.data);
    slot.data = data;
    slot.bytes += more;
    this.bytes += more;
  }

  /** Forgets what waits of the topic. */
  forget(topic: string): void {
    const of = this.#topics.get(topic);
    if (of === undefined) return;
    this.#topics.delete(topic);
    if (of.unkeyed !== undefined) this.#remove(of.unkeyed);
    for (const slot of of.keyed?.values() ?? []) this.#remove(slot);
  }

  /** Hands over one message after another until `send` returns false. */
  flush(send: (data: Sendable | Prepared) => boolean): void {
    for (const slot of this.#slots) {
      const { of, key, data } = slot;
      this.#remove(slot);
      if (key === undefined) of.unkeyed = undefined;
      else of.keyed?.delete(key);
      if (of.unkeyed === undefined && !of.keyed?.size) this.#topics.delete(of.topic);
      if (!send(data)) return;
    }
  }

  #open(topic: string): TopicSlots {
    const of: TopicSlots = { topic, unkeyed: undefined, keyed: undefined };
    this.#topics.set(topic, of);
    return of;
  }

  #add(of: TopicSlots, key: string | undefined): Slot {
    const slot: Slot = { of, key: key === undefined ? undefined : ownText(key), data: nothing, bytes: 0 };
    if (slot.key === undefined) of.unkeyed = slot;
    else {
      slot.bytes = keyCost + 2 * slot.key.length;
      (of.keyed ??= new Map()).set(slot.key, slot);
    }
    this.#slots.add(slot);
    this.bytes += slot.bytes;
    return slot;
  }

  #remove(slot: Slot): void {
    this.#slots.delete(slot);
    this.bytes -= slot.bytes;
  }
}

/** Of a slot that is about to be filled. */
const nothing = "";
