/**
 * A backplane's side of one room, in memory: what each implementation has to do in one atomic step. Every method is such a step. It is written to be read
 * beside the port, not to be fast.
 */
import type { Batch, BatchAnswer, Joined, Joining, Page, Refusal, Report, Reported } from "../backplane.ts";
import type { OwnAnswers, OwnAsked, Turn, TurnResult } from "../turns.ts";
import type { Change, Frame, Head, Notice } from "../feed.ts";
import type { Question } from "../mail.ts";
import { logsOf, pageOf } from "./logs.ts";
import { refusalOf, settle } from "./sessions.ts";
import { carryOut } from "./steps.ts";
import type { MemoryNode, MemorySession, MemoryState, Step } from "./state.ts";

/** Where frames go. */
export interface MemoryOutput {
  frame(frame: Frame<Change>): void;
  notice(node: string, frame: Frame<Notice>): void;
}

/** Sessions that one answer names. */
const few = 32;

export class MemoryRoom {
  state: MemoryState;
  readonly #output: MemoryOutput;
  readonly #lease: number;

  /** @param lease milliseconds. @param life empty until the first node joins. */
  constructor(output: MemoryOutput, lease: number) {
    this.#output = output;
    this.#lease = lease;
    this.state = emptyState();
  }

  /** Nothing that a node could need. */
  get isEmpty(): boolean {
    const { nodes, logs, sessions, present } = this.state;
    return nodes.size === 0 && logs.size === 0 && sessions.size === 0 && present.size === 0;
  }

  join(node: string, { life, newLife, numbers }: Joining, now: number): Joined | Refusal {
    const { state } = this;
    if (state.life === "") {
      state.life = newLife;
      state.numbers = new Map(numbers);
    }
    let known = state.nodes.get(node);
    if (known === undefined && life === state.life) return "expelled";
    known ??= { until: 0, batch: 0, answer: undefined, notices: { number: 0, tag: "0" }, counts: undefined };
    known.until = now + this.#lease;
    state.nodes.set(node, known);
    return {
      life: state.life,
      feed: state.feed,
      notices: known.notices,
      batch: known.batch,
      logs: logsOf(state),
      present: [...state.present.values()],
      counts: [...state.nodes.values()].flatMap(({ counts }) => counts ?? []),
    };
  }

  page(topic: string, after: string | undefined, limit: number): Page | undefined {
    const log = this.state.logs.get(topic);
    return log === undefined ? undefined : pageOf(log, after, limit);
  }

  turns({ node: name, life, number, after, tag, turns }: Batch): BatchAnswer | Refusal {
    const node = this.#member(name, life);
    if (typeof node === "string") return node;
    if (number === node.batch && node.answer !== undefined) return node.answer;
    if (after !== node.batch) return "other";
    const step: Step = { state: this.state, node: name, changes: [], notices: new Map() };
    const results = turns.map((turn) => runTurn(step, turn));
    this.#tell(step, tag);
    node.batch = number;
    return (node.answer = { feed: this.state.feed, results });
  }

  report(name: string, { life, counts }: Report, tag: string, now: number): Reported | Refusal {
    const step: Step = { state: this.state, node: name, changes: [], notices: new Map() };
    this.#sweep(step, now);
    const node = this.#member(name, life);
    if (typeof node === "string") {
      this.#tell(step, tag);
      return node;
    }
    node.until = now + this.#lease;
    if (!isSame(node.counts, counts)) {
      node.counts = { node: name, ...counts };
      step.changes.push({ type: "counts", counts: node.counts });
    }
    this.#tell(step, tag);
    let held = 0;
    for (const { isOver, holder } of this.state.sessions.values()) if (!isOver && holder === name) held++;
    return {
      feed: this.state.feed,
      notices: node.notices,
      batch: node.batch,
      held,
      orphans: this.#some((_name, { holder }) => !this.state.nodes.has(holder)),
    };
  }

  own(node: string, asked: readonly OwnAsked[]): OwnAnswers {
    const notices = this.state.nodes.get(node)?.notices ?? { number: 0, tag: "0" };
    const answers = asked.map(({ session, after }) => {
      const stored = this.state.sessions.get(session);
      if (stored === undefined || stored.isOver || stored.holder !== node) return { session, isHeld: false, entries: [] };
      return { session, isHeld: true, entries: stored.own.filter(({ offset }) => offset > after) };
    });
    const known = new Set(asked.map(({ session }) => session));
    return { notices, answers, others: this.#some((name, { holder }) => holder === node && !known.has(name)) };
  }

  leave(name: string, tag: string): void {
    if (!this.state.nodes.has(name)) return;
    const step: Step = { state: this.state, node: name, changes: [], notices: new Map() };
    bury(step, name);
    this.#tell(step, tag);
  }

  ask(question: Question, tag: string, now: number): readonly string[] {
    const living = [...this.state.nodes].filter(([, { until }]) => until >= now).map(([name]) => name);
    const changes: Change[] = living.length === 0 ? [] : [{ type: "asked", question }];
    this.#tell({ state: this.state, node: "", changes, notices: new Map() }, tag);
    return living;
  }

  #member(name: string, life: string): MemoryNode | Refusal {
    if (life !== this.state.life) return "other";
    return this.state.nodes.get(name) ?? "expelled";
  }

  /** Nodes whose lease is over are dead. */
  #sweep(step: Step, now: number): void {
    for (const [name, { until }] of this.state.nodes) if (until < now) bury(step, name);
  }

  /** A few sessions that have not ended. */
  #some(isMeant: (name: string, session: MemorySession) => boolean): readonly string[] {
    const some: string[] = [];
    for (const [name, session] of this.state.sessions) {
      if (!session.isOver && isMeant(name, session)) some.push(name);
      if (some.length === few) break;
    }
    return some;
  }

  #tell({ changes, notices }: Step, tag: string): void {
    const { state } = this;
    if (changes.length > 0) {
      const frame = { ...next(state.feed, tag), items: changes };
      state.feed = { number: frame.number, tag };
      this.#output.frame(frame);
    }
    for (const [name, items] of notices) {
      const node = state.nodes.get(name);
      // Nobody is there to hear it: who claims the session reads it.
      if (node === undefined) continue;
      const frame = { ...next(node.notices, tag), items };
      node.notices = { number: frame.number, tag };
      this.#output.notice(name, frame);
    }
  }
}

function emptyState(): MemoryState {
  return {
    life: "",
    feed: { number: 0, tag: "0" },
    logs: new Map(),
    numbers: new Map(),
    sessions: new Map(),
    present: new Map(),
    nodes: new Map(),
    kept: { values: new Map(), version: "", lanes: new Map(), order: 0 },
  };
}

function next({ number, tag: before }: Head, tag: string): Head & { readonly before: string } {
  return { number: number + 1, tag, before };
}

function runTurn(step: Step, { condition, steps }: Turn): TurnResult {
  const refused = condition === undefined ? undefined : refusalOf(step, condition);
  if (refused !== undefined) return refused;
  const result: TurnResult = condition === undefined ? { type: "done" } : settle(step, condition);
  for (const one of steps) carryOut(step, one);
  return result;
}

/** A node is gone: those of its connections that have no session, too. */
function bury({ state, changes }: Step, name: string): void {
  state.nodes.delete(name);
  for (const [id, { node, session }] of state.present) if (node === name && session === undefined) state.present.delete(id);
  changes.push({ type: "gone", node: name });
}

function isSame(known: MemoryNode["counts"], { connections, topics }: Report["counts"]): boolean {
  if (known === undefined || known.connections !== connections || known.topics.size !== topics.size) return false;
  for (const [topic, count] of topics) if (known.topics.get(topic) !== count) return false;
  return true;
}
