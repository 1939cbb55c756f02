/** What only all servers of a room know together: each is asked, and answers into the mailbox of the one that asks. */
import type { RoomStats, Stats } from "../../api/stats.ts";
import { addStats } from "../../handler/counters.ts";
import { randomEpoch } from "../../history/random.ts";
import type { Clock } from "../../ports.ts";
import { decode, encode } from "../../values/codec.ts";
import type { Backplane } from "../backplane.ts";
import { BackplaneError } from "../error.ts";
import type { Question } from "../mail.ts";
import type { Asking } from "./asking.ts";
import type { Post } from "./post.ts";

/** Methods that all servers answer. */
export type AskedMethod = "connections" | "stats" | "close" | "disconnect" | "send";

/** Milliseconds that servers have for their answers. */
const within = 2000;
/** Questions that are remembered: one may come twice. */
const most = 256;

interface Pending {
  readonly answers: Map<string, Answer>;
  nodes: readonly string[] | undefined;
  readonly done: PromiseWithResolvers<void>;
}

interface Answer {
  readonly id: string;
  readonly node: string;
  readonly result?: unknown;
  readonly error?: { readonly name: string; readonly message: string };
}

/** What is needed of the server. */
export interface QuestionHost {
  readonly backplane: Backplane;
  readonly asking: Asking;
  readonly clock: Clock;
  readonly post: Post;
  /** The server's name. */
  readonly server: string;
}

export class Questions {
  readonly #host: QuestionHost;
  readonly #pending = new Map<string, Pending>();
  readonly #seen = new Set<string>();

  constructor(host: QuestionHost) {
    this.#host = host;
    host.post.on("answer", (answer) => this.#heard(answer as Answer));
  }

  /** @param room its name on the backplane. @throws what the method throws; BackplaneError if some server does not answer in time. */
  async ask(room: string, method: AskedMethod, args: readonly unknown[]): Promise<unknown> {
    const { backplane, asking, clock, post, server } = this.#host;
    const question: Question = { id: randomEpoch(), from: server, body: encode([method, args]) };
    const pending: Pending = { answers: new Map(), nodes: undefined, done: Promise.withResolvers() };
    this.#pending.set(question.id, pending);
    await post.open();
    const timer = clock.setTimeout(() => pending.done.resolve(), within);
    try {
      pending.nodes = await asking.ask(() => backplane.kept(room, server).ask(question));
      this.#look(pending);
      await pending.done.promise;
      return together(method, answersOf(pending));
    } finally {
      clock.clearTimeout(timer);
      this.#pending.delete(question.id);
    }
  }

  /** A room of this server is asked. @param run does the method here. */
  asked(node: string, { id, from, body }: Question, run: (method: AskedMethod, args: readonly unknown[]) => unknown): void {
    const key = `${id} ${node}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const [oldest] = this.#seen;
    if (oldest !== undefined && this.#seen.size > most) this.#seen.delete(oldest);
    // Whoever asks finds out by itself that an answer is missing.
    this.#host.post.send(from, "answer", answerOf(id, node, body, run));
  }

  #heard(answer: Answer): void {
    const pending = this.#pending.get(answer.id);
    if (pending === undefined) return;
    pending.answers.set(answer.node, answer);
    this.#look(pending);
  }

  #look({ nodes, answers, done }: Pending): void {
    if (nodes?.every((node) => answers.has(node)) === true) done.resolve();
  }

  stop(): void {
    for (const { done } of this.#pending.values()) done.resolve();
  }
}

function answerOf(id: string, node: string, body: string, run: (method: AskedMethod, args: readonly unknown[]) => unknown): Answer {
  try {
    const [method, args] = decode(body) as [AskedMethod, readonly unknown[]];
    return { id, node, result: run(method, args) };
  } catch (error) {
    const { name, message } = error as Error;
    return { id, node, error: { name, message } };
  }
}

function answersOf({ nodes = [], answers }: Pending): readonly unknown[] {
  const missing = nodes.filter((node) => !answers.has(node)).length;
  if (missing > 0) throw new BackplaneError(`${missing} of ${nodes.length} servers did not answer within ${within} ms [EW441]`);
  return nodes.map((node) => {
    const { error, result } = answers.get(node) as Answer;
    if (error === undefined) return result;
    const Class = error.name === "TypeError" ? TypeError : error.name === "RangeError" ? RangeError : Error;
    // As that server has said it.
    throw new Class(error.message);
  });
}

function together(method: AskedMethod, results: readonly unknown[]): unknown {
  switch (method) {
    case "connections":
      return results.flat();
    case "stats":
      return sum(results as readonly RoomStats[]);
    case "close":
      return (results as readonly number[]).reduce((all, one) => all + one, 0);
    case "disconnect":
      return results.includes(true);
    case "send":
      return results.find((result) => result !== "closed") ?? "closed";
  }
}

function sum(all: readonly RoomStats[]): RoomStats {
  const { refused: _, ...stats } = addStats(all.map((one): Stats => ({ ...one, refused: {} })));
  return stats;
}
