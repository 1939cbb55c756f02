/**
 * What must hold of a history of several nodes, whatever failed on the way. What the backplane has carried out is known, step by step, and with it each
 * log's order; so nothing has to be searched for.
 */
import type { Fate } from "../../src/delivery/client/outgoing.ts";
import type { ServerControl } from "../../src/delivery/frames.ts";
import type { Batch, BatchAnswer } from "../../src/cluster/backplane.ts";
import type { MemoryState } from "../../src/cluster/memory/state.ts";

/** A run of a hook, as its publish has it: `<message>/<run>`. */
interface Run {
  readonly text: string;
  readonly topics: readonly string[];
  /** The session that it is not for. */
  readonly except: string | undefined;
  order: number;
  /** Its log lost it. */
  isLost: boolean;
  /** That its hook ran is stored. */
  isApplied: boolean;
}

interface Subscription {
  readonly topic: string;
  /** Entries that were there when it began. */
  kept: ReadonlySet<string>;
  /** The order of the first that came later. */
  since: number;
  /** Entries that were gone when the client was told of a gap. */
  excused: Set<string>;
}

interface Reader {
  session: string;
  /** All that it had. */
  readonly sessions: Set<string>;
  readonly seen: Set<string>;
  readonly last: Map<string, number>;
  subscriptions: Map<string, Subscription>;
  /** Topics by the log's number, as the client was told. */
  numbers: Map<number, string>;
  /** By topic: those of earlier sessions, where this one has none yet. */
  readonly former: Map<string, Subscription>;
  answers: Set<string>;
  lastAnswer: number;
  toldOfAnswers: boolean;
}

/** A connection without delivery. */
export interface PlainReader {
  readonly name: string;
  readonly topics: ReadonlySet<string>;
  readonly seen: Set<string>;
  readonly last: Map<string, number>;
  /** The last entry that its node had of each topic when it came. */
  readonly since: ReadonlyMap<string, number>;
}

export class Checker {
  readonly problems: string[] = [];
  /** What has happened, so that a test can tell that it did. */
  readonly counts: Record<string, number> = {};
  /** Some of the history was lost: what plain connections lack is not told. */
  rewound = false;
  readonly #runs = new Map<string, Run>();
  readonly #gone = new Set<string>();
  /** The texts of each topic's log. */
  #logs = new Map<string, string[]>();
  /** Answers by session, and whether they were lost. */
  readonly #answers = new Map<string, Map<string, { order: number; isLost: boolean }>>();
  readonly #begun = new Map<string, Subscription>();
  readonly #said = new Map<string, Fate | undefined>();
  /** In which session a message was acknowledged: "" if it had ended then. */
  readonly #acknowledgedIn = new Map<string, string>();
  /** Acknowledged in an earlier session than the client's when the message was lost: nobody can be told. */
  readonly #untold = new Set<string>();
  /** Sessions whose end was lost. Their clients may have been told of it, and the backplane takes their messages again. */
  readonly #ended = new Set<string>();
  /** By message: such sessions in which it was applied. */
  readonly #appliedIn = new Map<string, Set<string>>();
  #isNewSession = false;
  readonly #readers = new Map<number, Reader>();
  /** How often the backplane has each message. */
  readonly #applied = new Map<string, number>();
  #order = 0;
  /** What came before has been forgotten. */
  #forgotten = 0;

  problem(text: string): void {
    this.problems.push(text);
  }

  count(what: string, by = 1): void {
    this.counts[what] = (this.counts[what] ?? 0) + by;
  }

  get order(): number {
    return this.#order;
  }

  // ---- The backplane

  carriedOut({ turns }: Batch, answer: BatchAnswer, state: MemoryState): void {
    for (const [index, { condition, steps }] of turns.entries()) {
      const result = answer.results[index];
      if (result?.type === "refused") this.count(`refused: ${result.why}`);
      if (result?.type !== "done") continue;
      this.count("turns");
      if (condition?.type === "message") this.count("messages");
      for (const step of steps) {
        if (step.type === "publish") {
          const topics = [...step.kept.map(({ topic }) => topic), ...step.topics];
          this.#published(String(step.payload), topics, step.except as string | undefined, condition?.session);
          for (const { topic } of step.kept) this.#logOf(topic).push(String(step.payload));
        }
        if (step.type === "send") this.#answered(step.session, String(step.payload));
      }
    }
    for (const [topic, { entries }] of state.logs) {
      const log = this.#logOf(topic);
      for (const text of log.splice(0, log.length - entries.length)) this.#gone.add(text);
    }
  }

  #published(text: string, topics: readonly string[], except: string | undefined, session: string | undefined): void {
    const [message = ""] = text.split("/");
    const times = (this.#applied.get(message) ?? 0) + 1;
    this.#applied.set(message, times);
    const revived = this.#appliedIn.get(message) ?? new Set();
    this.#appliedIn.set(message, revived);
    if (session !== undefined && this.#ended.has(session)) revived.add(session);
    if (times > 1 && revived.size === 0) this.problem(`${message} was applied ${times} times`);
    else if (times > 1) this.count("revived");
    const known = this.#runs.get(text);
    if (known !== undefined && !known.isLost) this.problem(`${text} was published twice`);
    this.#runs.set(text, { text, topics, except, order: this.#order++, isLost: false, isApplied: true });
  }

  #answered(session: string, text: string): void {
    const answers = this.#answers.get(session) ?? new Map<string, { order: number; isLost: boolean }>();
    this.#answers.set(session, answers);
    answers.set(text, { order: this.#order++, isLost: false });
  }

  #logOf(topic: string): string[] {
    const known = this.#logs.get(topic);
    if (known !== undefined) return known;
    const log: string[] = [];
    this.#logs.set(topic, log);
    return log;
  }

  /** The backplane is as it was: what it had carried out since is lost. */
  rewind(order: number, state: MemoryState, before: MemoryState): void {
    this.rewound = true;
    this.#loseEnds(before, state);
    this.count("rewinds");
    for (const run of this.#runs.values()) if (run.order >= order) this.#lose(run);
    for (const answers of this.#answers.values()) for (const one of answers.values()) if (one.order >= order) one.isLost = true;
    this.#logs = new Map(Array.from(state.logs, ([topic, { entries }]) => [topic, entries.map(({ payload }) => String(payload))]));
  }

  /** It is another one, and empty. */
  emptied(before: MemoryState): void {
    this.rewound = true;
    this.#loseEnds(before, undefined);
    this.count("emptied");
    for (const run of this.#runs.values()) this.#lose(run);
    for (const answers of this.#answers.values()) for (const one of answers.values()) one.isLost = true;
    this.#logs = new Map();
    this.#forgotten = this.#order;
  }

  #loseEnds(before: MemoryState, state: MemoryState | undefined): void {
    for (const [name, { isOver }] of before.sessions) if (isOver && state?.sessions.get(name)?.isOver !== true) this.#ended.add(name);
  }

  /** One log is gone. */
  evicted(topic: string): void {
    this.rewound = true;
    this.count("evicted");
    for (const text of this.#logOf(topic)) {
      const run = this.#runs.get(text);
      if (run !== undefined) run.isLost = true;
    }
    this.#logs.delete(topic);
  }

  #lose(run: Run): void {
    run.isLost = true;
    if (!run.isApplied) return;
    run.isApplied = false;
    const [message = ""] = run.text.split("/");
    this.#applied.set(message, (this.#applied.get(message) ?? 0) - 1);
    const session = this.#acknowledgedIn.get(message);
    const reader = this.#readers.get(Number(message.split(":")[0]));
    if (session !== undefined && session !== reader?.session) this.#untold.add(message);
  }

  /** Where an entry is in the order of all. */
  orderOf(text: string): number {
    return this.#runs.get(text)?.order ?? -1;
  }

  // ---- Clients with delivery

  said(text: string): void {
    this.#said.set(text, undefined);
  }

  settled(text: string, fate: Fate): void {
    this.count(fate);
    if (this.#said.get(text) !== undefined && fate === "acknowledged") this.problem(`${text} was settled before it was acknowledged`);
    if (fate === "acknowledged" && !this.#applied.has(text)) this.problem(`${text} is acknowledged, and was not applied`);
    this.#said.set(text, fate);
    const session = this.#readers.get(Number(text.split(":")[0]))?.session ?? "";
    if (fate === "acknowledged") this.#acknowledgedIn.set(text, this.#isNewSession ? "" : session);
  }

  uncertain(text: string): void {
    this.count("uncertain");
    this.#said.set(text, "uncertain");
  }

  /** A node begins a subscription of a session. @param entries those that it is to get at once. @param order of the first that the node does not have. */
  began(session: string, number: number, subscription: number, topic: string, entries: readonly string[], order: number): void {
    this.#begun.set(`${session} ${number} ${subscription}`, { topic, kept: new Set(entries), since: order, excused: new Set() });
  }

  /** The order of what comes next in a log of which a node has these. */
  orderAfter(topic: string, entries: readonly string[]): number {
    const last = entries.at(-1);
    if (last !== undefined) return this.orderOf(last) + 1;
    // A mirror without entries has none before those of the log.
    const [first] = this.#logOf(topic);
    return first === undefined ? this.#order : this.orderOf(first);
  }

  /** What the client is about to read says which session it is in, and which subscriptions it has. */
  arrives(index: number, data: string): void {
    this.#isNewSession = false;
    if (!data.startsWith("!")) return;
    const { welcome, log, end } = JSON.parse(data.slice(1)) as ServerControl;
    if (welcome !== undefined) this.count(welcome.resumed ? "resumed" : "begun");
    const reader = this.#readers.get(index) ?? newReader();
    this.#readers.set(index, reader);
    if (welcome?.resumed === false) {
      this.#isNewSession = true;
      for (const [topic, subscription] of reader.subscriptions) reader.former.set(topic, subscription);
      reader.sessions.add(welcome.session);
      const answers = { answers: new Set<string>(), lastAnswer: -1, toldOfAnswers: false };
      Object.assign(reader, { session: welcome.session, subscriptions: new Map(), numbers: new Map(), ...answers });
    }
    const begun = log === undefined ? undefined : this.#begun.get(`${reader.session} ${log.n} ${log.s}`);
    const earlier = reader.numbers.get(log?.n ?? end?.n ?? 0) ?? "";
    // The number is another topic's now, or nobody's.
    if (end !== undefined || (log?.topic !== undefined && log.topic !== earlier)) reader.subscriptions.delete(earlier);
    if (end !== undefined) reader.numbers.delete(end.n);
    if (log?.topic !== undefined) {
      for (const [number, topic] of reader.numbers) if (topic === log.topic) reader.numbers.delete(number);
      reader.numbers.set(log.n, log.topic);
    }
    if (begun !== undefined && reader.subscriptions.get(begun.topic) !== begun) this.#begins(reader, begun);
  }

  #begins(reader: Reader, begun: Subscription): void {
    const { topic } = begun;
    const former = reader.former.get(topic);
    reader.former.delete(topic);
    reader.subscriptions.set(topic, begun);
    if (former !== undefined) {
      // Another session: the client goes on where it was.
      this.count("continued");
      const { kept, since, excused } = former;
      return void Object.assign(begun, { kept, since, excused });
    }
    // It was subscribed to anew in the same session: what is kept comes again.
    for (const { text, topics } of this.#runs.values()) if (topics.length === 1 && topics[0] === topic) reader.seen.delete(text);
    reader.last.delete(topic);
  }

  gap(index: number, topic: string | undefined, why: "old" | "lost"): void {
    this.count(`gaps: ${why}`);
    const reader = this.#readers.get(index);
    if (reader === undefined) return;
    if (topic === undefined) {
      reader.toldOfAnswers = true;
      reader.lastAnswer = -1;
      if (!this.rewound) this.problem(`client ${index} was told of a gap in what was sent to it alone`);
      return;
    }
    const subscription = reader.subscriptions.get(topic);
    if (subscription === undefined) return;
    if (why === "lost") reader.last.delete(topic);
    const gone = this.#entries(topic, subscription).filter(({ text, isLost }) => isLost || this.#gone.has(text));
    const isTrue = gone.some(
      ({ text, topics, except }) => !reader.seen.has(text) || topics.length > 1 || reader.sessions.has(except ?? ""),
    );
    if (!isTrue && !this.rewound) this.problem(`client ${index} was told of a gap in ${topic} (${why}), and nothing is missing`);
    if (why === "lost" && !this.rewound) this.problem(`client ${index} was told that ${topic} lost something, and it did not`);
    for (const { text } of gone) if (!reader.seen.has(text)) subscription.excused.add(text);
  }

  received(index: number, text: string): void {
    const reader = this.#readers.get(index);
    if (reader === undefined) return this.problem(`client ${index} got ${text} before a welcome`);
    if (text.startsWith("answer ")) return this.#gotAnswer(index, reader, text);
    this.count("entries");
    const run = this.#runs.get(text);
    if (run === undefined) return this.problem(`client ${index} got ${text}, which nobody has published`);
    if (run.except === reader.session) this.problem(`client ${index} got ${text}, which is not for it`);
    if (reader.seen.has(text)) this.problem(`client ${index} got ${text} twice`);
    reader.seen.add(text);
    const [topic, other] = run.topics;
    if (topic === undefined || other !== undefined) return;
    if ((reader.last.get(topic) ?? -1) > run.order) this.problem(`client ${index} got ${text} out of order`);
    reader.last.set(topic, run.order);
  }

  #gotAnswer(index: number, reader: Reader, text: string): void {
    this.count("answers");
    const answer = this.#answers.get(reader.session)?.get(text);
    if (answer === undefined) return this.problem(`client ${index} got "${text}", which nobody sent to it`);
    if (reader.answers.has(text)) this.problem(`client ${index} got "${text}" twice`);
    if (answer.order < reader.lastAnswer && !this.rewound) this.problem(`client ${index} got "${text}" out of order`);
    reader.answers.add(text);
    reader.lastAnswer = answer.order;
  }

  // ---- Connections without delivery

  plainGot(reader: PlainReader, text: string): void {
    this.count("plain entries");
    const run = this.#runs.get(text);
    if (run === undefined) return this.problem(`${reader.name} got ${text}, which nobody has published`);
    if (reader.seen.has(text)) this.problem(`${reader.name} got ${text} twice`);
    reader.seen.add(text);
    const [topic, other] = run.topics;
    if (topic === undefined || other !== undefined) return;
    // What was lost and carried out again comes at its new place.
    if ((reader.last.get(topic) ?? -1) > run.order && !this.rewound) this.problem(`${reader.name} got ${text} out of order`);
    reader.last.set(topic, run.order);
  }

  // ---- At rest

  end(plains: readonly PlainReader[], keeps: (topic: string) => boolean): void {
    for (const [index, reader] of this.#readers) this.#endOf(index, reader);
    for (const plain of plains) if (!this.rewound) this.#endOfPlain(plain, keeps);
    for (const [text, fate] of this.#said) {
      if (fate === undefined) this.problem(`${text} is neither acknowledged nor uncertain`);
      // One that was acknowledged in a session that had ended, or by the welcome of another, can't be told any more.
      const session = this.#acknowledgedIn.get(text) ?? "";
      const isUntold = this.#untold.has(text) || session === "" || this.#ended.has(session);
      if (fate === "acknowledged" && (this.#applied.get(text) ?? 0) < 1 && this.#forgotten === 0 && !isUntold)
        this.problem(`${text} was acknowledged, is lost, and that was not told`);
    }
  }

  #endOf(index: number, { session, sessions, subscriptions, seen, answers, toldOfAnswers }: Reader): void {
    for (const [topic, subscription] of subscriptions) {
      for (const { text, except, isLost } of this.#entries(topic, subscription)) {
        if (isLost || sessions.has(except ?? "") || seen.has(text) || subscription.excused.has(text)) continue;
        this.problem(`client ${index} lacks ${text} of ${topic}${this.#gone.has(text) ? ", which is gone, and was not told" : ""}`);
      }
    }
    for (const [text, { isLost }] of this.#answers.get(session) ?? [])
      if (!isLost && !answers.has(text) && !toldOfAnswers) this.problem(`client ${index} lacks "${text}"`);
  }

  #endOfPlain({ name, topics, seen, since }: PlainReader, keeps: (topic: string) => boolean): void {
    for (const { text, topics: into, order } of this.#runs.values()) {
      const missed = into.find((topic) => topics.has(topic) && keeps(topic) && order >= (since.get(topic) ?? 0));
      if (missed !== undefined && !seen.has(text) && !this.#gone.has(text)) this.problem(`${name} lacks ${text} of ${missed}`);
    }
  }

  /** What has been in the log since the subscription began. */
  #entries(topic: string, { kept, since }: Subscription): Run[] {
    return [...this.#runs.values()].filter(
      ({ text, topics, order }) => topics.includes(topic) && order >= this.#forgotten && (kept.has(text) || order >= since),
    );
  }
}

function newReader(): Reader {
  return {
    session: "",
    sessions: new Set(),
    seen: new Set(),
    last: new Map(),
    subscriptions: new Map(),
    numbers: new Map(),
    former: new Map(),
    answers: new Set(),
    lastAnswer: -1,
    toldOfAnswers: false,
  };
}
