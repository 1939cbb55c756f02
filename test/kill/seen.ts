/** Everything that any client of a file was shown, and what must be true of it after a kill. */
import type { State } from "./handler.ts";
import { bounds, long, topicNames, type TopicName } from "./topics.ts";

/** What was wrong. `missing`: what was shown is not in the file; `twice`: one message at two offsets; `other`: a rule of histories or values. */
export type Fault = "missing" | "twice" | "other";

export interface Place {
  readonly epoch: string;
  readonly offset: number;
  /** Undefined if only the message was shown. */
  readonly tag: string | undefined;
}

interface Message {
  readonly signature: string;
  tag: string | undefined;
}

/** One topic of one room. */
interface Log {
  epoch: string;
  readonly messages: Map<number, Message>;
  /** By signature. */
  readonly offsets: Map<string, number>;
  /** Offsets before it had been pushed out at the last check. */
  low: number;
  /** The last offset that was shown. */
  head: number;
}

export class Seen {
  readonly faults: Record<Fault, number> = { missing: 0, twice: 0, other: 0 };
  /** The first faults, in words. */
  readonly said: string[] = [];
  /** Messages that were shown, each counted once, and values, each time. */
  messages = 0;
  values = 0;
  readonly #logs = new Map<string, Log>();
  readonly #values = new Map<string, Map<string, number>>();
  /** Positions that were shown, and are gone. */
  readonly #lost = new Set<string>();

  fault(kind: Fault, what: string): void {
    this.faults[kind]++;
    if (this.said.length < 50) this.said.push(`${kind}: ${what}`);
  }

  show(room: string, topic: TopicName, { epoch, offset, tag }: Place, signature: string): void {
    const where = `${room}, ${topic}`;
    const log = this.#log(room, topic, epoch);
    if (log.epoch !== epoch) return this.fault("other", `${where}: ${signature} is of epoch ${epoch}, the log is ${log.epoch}`);
    const known = log.messages.get(offset);
    const before = log.offsets.get(signature);
    if (known === undefined) {
      if (before !== undefined) this.fault("twice", `${where}: ${signature} is at ${before} and at ${offset}`);
      this.messages++;
      log.head = Math.max(log.head, offset);
      log.messages.set(offset, { signature, tag });
      log.offsets.set(signature, offset);
    } else if (known.signature !== signature || (known.tag ?? tag) !== (tag ?? known.tag)) {
      this.fault("other", `${where}: at ${offset} are ${known.signature} (${known.tag}) and ${signature} (${tag})`);
    } else known.tag ??= tag;
  }

  value(room: string, key: string, value: number): void {
    this.values++;
    const values = this.#valuesOf(room);
    values.set(key, Math.max(value, values.get(key) ?? 0));
  }

  /** Whether a position that was shown is known no longer. */
  isLost(room: string, topic: string, position: string): boolean {
    return this.#lost.has(`${room} ${topic} ${position}`);
  }

  /** Compares what a room keeps after a kill with what was shown of it before. */
  check(room: string, { topics, values }: State): void {
    for (const topic of topicNames) this.#checkTopic(room, topic, topics[topic]);
    const shown = this.#valuesOf(room);
    for (const [key, value] of shown) {
      const stored = values[key] ?? 0;
      if (stored < value) this.fault("missing", `${room}: ${key} was shown as ${value} and is ${stored}`);
      shown.set(key, stored);
    }
    if (values["left"] !== values["right"]) this.fault("other", `${room}: left is ${values["left"]}, right is ${values["right"]}`);
  }

  #checkTopic(room: string, topic: TopicName, { entries, position, complete }: State["topics"][TopicName]): void {
    const where = `${room}, ${topic}`;
    const places = entries.map(([one]) => placeOf(one));
    const { epoch, offset: head } = placeOf(position);
    const first = head - entries.length + 1;
    const log = this.#log(room, topic, epoch);
    if (places.some((place, index) => place.epoch !== epoch || place.offset !== first + index))
      this.fault("other", `${where}: the offsets from ${first} to ${head} are ${places.map(({ offset }) => offset).join()}`);
    if (complete !== (first === 1)) this.fault("other", `${where}: complete is ${complete}, and the first offset is ${first}`);
    if (first > 1 && !this.#pushedOut(topic, entries)) this.fault("missing", `${where}: the history begins at ${first}, within its bounds`);
    const begins = log.epoch === epoch;
    for (let offset = log.low; offset <= log.head; offset++) {
      const message = log.messages.get(offset);
      if (message === undefined || (begins && offset <= head)) continue;
      this.fault("missing", `${where}: ${message.signature} was shown at ${offset} of ${log.epoch}, the last is ${head} of ${epoch}`);
      this.#lost.add(`${room} ${topic} ${log.epoch}.${offset}.${message.tag}`);
      log.messages.delete(offset);
      log.offsets.delete(message.signature);
    }
    if (!begins) log.messages.clear();
    log.epoch = epoch;
    log.low = first;
    log.head = Math.min(log.head, head);
    for (const [index, [, signature]] of entries.entries()) this.show(room, topic, places[index]!, signature);
  }

  /** Whether newer messages than those before the first have taken all the room that there is. */
  #pushedOut(topic: TopicName, entries: State["topics"][TopicName]["entries"]): boolean {
    const { messages, bytes } = bounds[topic];
    const kept = entries.reduce((sum, [, signature]) => sum + Number(signature.split(" ").at(-1)), 0);
    // The largest that the one before them can have been, with their first lines.
    return entries.length >= messages || kept + long + 200 * (entries.length + 1) > bytes;
  }

  #log(room: string, topic: TopicName, epoch: string): Log {
    const key = `${room} ${topic}`;
    let log = this.#logs.get(key);
    if (log === undefined) this.#logs.set(key, (log = { epoch, messages: new Map(), offsets: new Map(), low: 1, head: 0 }));
    // An empty log's epoch is kept in memory only.
    if (log.messages.size === 0) log.epoch = epoch;
    return log;
  }

  #valuesOf(room: string): Map<string, number> {
    let values = this.#values.get(room);
    if (values === undefined) this.#values.set(room, (values = new Map()));
    return values;
  }
}

/** `epoch.offset.tag`. */
export function placeOf(position: string): Place & { readonly tag: string } {
  const [epoch = "", offset, tag = ""] = position.split(".");
  return { epoch, offset: Number(offset), tag };
}
