/** What must hold of a history, whatever failed on the way. Each log's order is known, so nothing has to be searched for. */
import type { Fate } from "../../src/delivery/client/outgoing.ts";
import type { ServerControl } from "../../src/delivery/frames.ts";
import type { LogEntry } from "../../src/history/readable.ts";

interface Published {
  readonly text: string;
  readonly topics: string[];
  /** The client that it is not for. */
  readonly except: number | undefined;
  readonly order: number;
}

interface Subscription {
  readonly topic: string;
  /** Entries that were there when it began, and that it was to get. */
  kept: ReadonlySet<string>;
  since: number;
  /** Entries that were gone when the client was told of a gap. */
  excused: Set<string>;
  /** Entries that an earlier session's subscription would have got, and this one began after. */
  skipped: ReadonlySet<string>;
  /** How often the log had lost its end or was replaced, when the client last knew. */
  rewinds: number;
  /** How often it was replaced when it began. */
  readonly replaced: number;
}

interface Reader {
  seen: Set<string>;
  last: Map<string, number>;
  subscriptions: Map<string, Subscription>;
  /** By topic: those of earlier sessions, where this one has none yet. */
  former: Map<string, Subscription>;
  session: string;
  answered: number;
  /** Topics of which a gap must be told before anything else. */
  owed: Set<string>;
}

export class Checker {
  readonly problems: string[] = [];
  /** What has happened, so that a test can tell that it did. */
  readonly counts: Record<string, number> = {};
  readonly #published = new Map<string, Published>();
  readonly #gone = new Set<string>();
  readonly #lost = new Set<string>();
  /** By the log's number. */
  readonly #topics = new Map<number, string>();
  readonly #applied = new Map<string, number>();
  /** By session. */
  readonly #answers = new Map<string, string[]>();
  readonly #begun = new Map<string, Subscription>();
  readonly #said = new Map<string, Fate | undefined>();
  readonly #readers = [0, 1, 2].map(newReader);
  /** By topic. */
  readonly #rewinds = new Map<string, number>();
  readonly #replaced = new Map<string, number>();
  /** The server has forgotten everything since. */
  #forgotten = 0;

  problem(text: string): void {
    this.problems.push(text);
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  said(text: string): void {
    this.#said.set(text, undefined);
  }

  settled(text: string, fate: Fate): void {
    this.#settle(text, fate);
    if (fate === "acknowledged" && this.#applied.get(text) === undefined) this.problem(`${text} is acknowledged, and was not applied`);
  }

  uncertain(text: string): void {
    this.#settle(text, "uncertain");
  }

  /** What its page had not heard of is lost with it: nobody asks any more. */
  reloaded(index: number): void {
    this.#count("reloaded");
    for (const [text, fate] of this.#said) if (fate === undefined && text.startsWith(`${index}:`)) this.#said.set(text, "uncertain");
  }

  #settle(text: string, fate: Fate): void {
    this.#count(fate);
    if (this.#said.get(text) !== undefined && fate === "acknowledged") this.problem(`${text} was settled before it was acknowledged`);
    this.#said.set(text, fate);
  }

  applied(text: string): void {
    const times = (this.#applied.get(text) ?? 0) + 1;
    this.#applied.set(text, times);
    if (times > 1) this.problem(`${text} was applied ${times} times`);
  }

  published(topic: string, text: string, except: number | undefined): void {
    const known = this.#published.get(text);
    if (known === undefined) this.#published.set(text, { text, topics: [topic], except, order: this.#published.size });
    else known.topics.push(topic);
  }

  answered(session: string, text: string): void {
    const answers = this.#answers.get(session);
    if (answers === undefined) this.#answers.set(session, [text]);
    else answers.push(text);
  }

  /** The server begins a subscription of a session. @param entries those that it is to get at once. */
  began(session: string, number: number, subscription: number, topic: string, entries: readonly LogEntry[]): void {
    const kept = new Set(entries.map(({ payload }) => String(payload)));
    this.#topics.set(number, topic);
    this.#begun.set(`${session} ${number} ${subscription}`, {
      topic,
      kept,
      since: this.#published.size,
      excused: new Set(),
      skipped: new Set(),
      rewinds: this.#rewinds.get(topic) ?? 0,
      replaced: this.#replaced.get(topic) ?? 0,
    });
  }

  /** What the client is about to read says which session it is in, and which subscriptions it has. */
  arrives(index: number, data: string): void {
    const reader = this.#reader(index);
    for (const topic of reader.owed) this.problem(`client ${index} was not told that ${topic} is another log`);
    reader.owed.clear();
    if (!data.startsWith("!")) return;
    const { welcome, log, end } = JSON.parse(data.slice(1)) as ServerControl;
    if (welcome !== undefined) this.#count(welcome.resumed ? "resumed" : "begun");
    if (welcome?.resumed === false) {
      for (const [topic, subscription] of reader.subscriptions) reader.former.set(topic, subscription);
      Object.assign(reader, { session: welcome.session, answered: 0, subscriptions: new Map() });
    }
    const begun = log === undefined ? undefined : this.#begun.get(`${reader.session} ${log.n} ${log.s}`);
    if (begun !== undefined && reader.subscriptions.get(begun.topic) !== begun) this.#begins(reader, begun);
    if (end !== undefined) reader.subscriptions.delete(this.#topics.get(end.n) ?? "");
  }

  #begins(reader: Reader, begun: Subscription): void {
    const { topic } = begun;
    const former = reader.former.get(topic);
    reader.former.delete(topic);
    reader.subscriptions.set(topic, begun);
    if (former === undefined) {
      // It was subscribed to anew in the same session: what is kept comes again, after a gap also what was before.
      for (const { text, topics } of this.#published.values()) if (topics.length === 1 && topics[0] === topic) reader.seen.delete(text);
      reader.last.delete(topic);
    } else if (former.replaced !== begun.replaced) {
      this.#count("replaced");
      begun.rewinds = former.rewinds;
      reader.owed.add(topic);
    } else {
      // The log has survived the session: the client goes on where it was.
      this.#count("continued");
      const { kept, since, excused, rewinds } = former;
      const passed = this.#entries(topic, former).filter(({ text, order }) => order < begun.since && !begun.kept.has(text));
      Object.assign(begun, { kept, since, excused, rewinds, skipped: new Set([...former.skipped, ...passed.map(({ text }) => text)]) });
    }
  }

  /** The log has lost its end, or is another one. */
  rewound(topic: string, isReplaced: boolean): void {
    this.#rewinds.set(topic, (this.#rewinds.get(topic) ?? 0) + 1);
    if (isReplaced) this.#replaced.set(topic, (this.#replaced.get(topic) ?? 0) + 1);
  }

  gone(texts: readonly string[]): void {
    for (const text of texts) this.#gone.add(text);
  }

  lost(texts: readonly string[]): void {
    for (const text of texts) this.#lost.add(text);
  }

  forgot(): void {
    this.#forgotten = this.#published.size;
  }

  gap(index: number, topic: string | undefined, why: "old" | "lost"): void {
    this.#count("gaps");
    if (topic === undefined) return;
    const { subscriptions, seen, owed } = this.#reader(index);
    const subscription = subscriptions.get(topic);
    if (subscription === undefined) return;
    owed.delete(topic);
    const rewinds = this.#rewinds.get(topic) ?? 0;
    if (why === "lost" && rewinds === subscription.rewinds)
      this.problem(`client ${index} was told that ${topic} has lost some, and it has not`);
    if (why === "lost") subscription.rewinds = rewinds;
    const gone = this.#entries(topic, subscription).filter(
      ({ text }) => this.#gone.has(text) || this.#lost.has(text) || subscription.skipped.has(text),
    );
    const missed = gone.filter(({ text }) => !seen.has(text));
    // What was not for the client, or came to it from another topic, is gone as well.
    const isTrue = gone.some(({ text, topics, except }) => !seen.has(text) || topics.length > 1 || except === index);
    if (why === "old" && !isTrue) this.problem(`client ${index} was told of a gap in ${topic}, and nothing is missing`);
    for (const { text } of missed) subscription.excused.add(text);
  }

  received(index: number, text: string): void {
    const reader = this.#reader(index);
    this.#count(text.startsWith("answer ") ? "answers" : "entries");
    if (text.startsWith("answer ")) {
      const next = this.#answers.get(reader.session)?.[reader.answered++];
      if (next !== text) this.problem(`client ${index} got "${text}" instead of "${next}"`);
      return;
    }
    const published = this.#published.get(text);
    if (published === undefined) return this.problem(`client ${index} got ${text}, which nobody has published`);
    if (published.except === index) this.problem(`client ${index} got ${text}, which is not for it`);
    if (reader.seen.has(text)) this.problem(`client ${index} got ${text} twice`);
    reader.seen.add(text);
    const [topic, other] = published.topics;
    if (topic === undefined || other !== undefined || this.#isExtra(reader.subscriptions.get(topic), published)) return;
    if ((reader.last.get(topic) ?? -1) > published.order) this.problem(`client ${index} got ${text} out of order`);
    reader.last.set(topic, published.order);
  }

  end(logs: readonly (readonly [topic: string, entries: readonly LogEntry[]])[]): void {
    for (const [topic] of logs) {
      for (const [index, { subscriptions, seen }] of this.#readers.entries()) {
        const subscription = subscriptions.get(topic);
        if (subscription === undefined) continue;
        for (const { text, except } of this.#entries(topic, subscription)) {
          if (except === index || seen.has(text) || this.#lost.has(text) || subscription.excused.has(text)) continue;
          this.problem(`client ${index} lacks ${text} of ${topic}${this.#gone.has(text) ? ", which is gone, and was not told" : ""}`);
        }
      }
    }
    for (const [index, { session, answered, owed }] of this.#readers.entries()) {
      for (const topic of owed) this.problem(`client ${index} was not told that ${topic} is another log`);
      const lacking = this.#answers.get(session)?.[answered];
      if (lacking !== undefined) this.problem(`client ${index} lacks "${lacking}"`);
    }
    for (const [text, fate] of this.#said) if (fate === undefined) this.problem(`${text} is neither acknowledged nor uncertain`);
  }

  #reader(index: number): Reader {
    return this.#readers[index] as Reader;
  }

  /** What the client was not to get, or was told to be gone, and what a log that has lost its end sends all the same: it sends all that it still has. */
  #isExtra(subscription: Subscription | undefined, { text, order }: Published): boolean {
    if (subscription === undefined) return false;
    const { kept, since, skipped, excused } = subscription;
    return skipped.has(text) || excused.has(text) || (order < since && !kept.has(text));
  }

  /** What has been in the log since the subscription began. */
  #entries(topic: string, { kept, since }: Subscription): Published[] {
    return [...this.#published.values()].filter(
      ({ text, topics, order }) => topics.includes(topic) && order >= this.#forgotten && (kept.has(text) || order >= since),
    );
  }
}

function newReader(): Reader {
  return { session: "", seen: new Set(), last: new Map(), subscriptions: new Map(), former: new Map(), answered: 0, owed: new Set() };
}
