/** A round: clients in a room of their own, load while servers and Redis fail, and the check. */
import { once } from "node:events";
import { WebSocket } from "ws";
import { Random } from "../fuzz/random.ts";
import { faultsOf, isFor } from "./check.ts";
import { Client, gap } from "./client.ts";
import type { Primary } from "./primary.ts";
import { most } from "./room.ts";
import type { Servers } from "./servers.ts";

export const happenings = ["kills", "deploys", "failovers", "behind", "stops", "cuts", "pauses"] as const;

/**
 * How often each happens. `behind` are failovers to a replica that is behind, `stops` those of a server, `pauses` those of Redis, and `cuts` of what is
 * between a server and Redis.
 */
export type Counts = Record<(typeof happenings)[number], number>;

export interface Plan extends Partial<Counts> {
  readonly seed: number;
  readonly clients?: number;
}

export interface Result extends Counts {
  readonly seed: number;
  readonly messages: number;
  readonly returns: number;
  readonly gaps: number;
  readonly uncertain: number;
  readonly faults: readonly string[];
}

/** Milliseconds: from one message of a client to the next, and within which whatever is awaited has to come. */
const times = { pace: 40, patience: 40_000 } as const;
/** Milliseconds of a stop or cut, which may be longer than a server's lease, and of a pause. */
const lengths = { away: [300, 7000], pause: [300, 3000] } as const;
/** Acknowledged messages between two happenings, at most. */
const between = 60;

export class Round {
  readonly #servers: Servers;
  readonly #primary: Primary;
  readonly #plan: Plan;
  readonly #random: Random;
  readonly #clients: readonly Client[];
  readonly #waiting = new Set<() => void>();
  readonly #left: Counts;
  /** Servers that start in place of others, or are away for a while. */
  readonly #pending = new Set<Promise<void>>();

  constructor(servers: Servers, primary: Primary, plan: Plan) {
    this.#servers = servers;
    this.#primary = primary;
    this.#plan = plan;
    this.#random = new Random(plan.seed);
    this.#left = countsOf(plan);
    const told = (): void => {
      for (const look of this.#waiting) look();
    };
    const client = (_: unknown, index: number): Client =>
      new Client(`ws://127.0.0.1:${servers.port}/${this.#room}`, String(index), new Random(plan.seed * 1000 + index), told);
    this.#clients = Array.from({ length: plan.clients ?? 5 }, client);
  }

  async run(): Promise<Result> {
    let faults: readonly string[];
    try {
      await this.#until("the first welcome", () => this.#clients.every(({ opened }) => opened > 0));
      await this.#load();
      faults = await this.#check();
    } catch (error) {
      faults = [String(error), ...this.#clients.flatMap(({ name, wrong }) => wrong.map((what) => `client ${name}: ${what}`))];
    } finally {
      await Promise.all(this.#clients.map((client) => client.close()));
    }
    return { seed: this.#plan.seed, ...countsOf(this.#plan), ...this.#sums(), faults };
  }

  get #room(): string {
    return `round-${this.#plan.seed}`;
  }

  get #messages(): number {
    return this.#sum(({ acknowledged }) => acknowledged.size);
  }

  #sum(of: (client: Client) => number): number {
    return this.#clients.reduce((sum, client) => sum + of(client), 0);
  }

  #sums(): Pick<Result, "messages" | "returns" | "gaps" | "uncertain"> {
    return {
      messages: this.#messages,
      returns: this.#sum(({ opened }) => opened - 1),
      gaps: this.#sum(({ shown, answers }) => [...shown, ...answers].filter((one) => one === gap).length),
      uncertain: this.#sum(({ uncertain }) => uncertain.length),
    };
  }

  async #load(): Promise<void> {
    const timer = setInterval(() => {
      if (this.#messages < most * 0.9) for (const client of this.#clients) client.pump();
    }, times.pace);
    try {
      while (happenings.some((what) => this.#left[what] > 0)) {
        await this.#moreMessages();
        await this.#happen();
      }
      await this.#moreMessages();
      await Promise.all(this.#pending);
    } finally {
      clearInterval(timer);
    }
  }

  #moreMessages(): Promise<void> {
    const messages = this.#messages + this.#random.int(1, between);
    return this.#until("more messages", () => this.#messages >= messages);
  }

  async #happen(): Promise<void> {
    const what = this.#random.weighted(happenings.map((one) => [this.#left[one], one] as const));
    this.#left[what]--;
    if (what === "deploys") return this.#deploy();
    if (what === "failovers") return this.#primary.failOver();
    if (what === "behind") return this.#primary.failOverBehind(() => this.#moreMessages());
    if (what === "pauses") return this.#primary.stop(this.#random.int(...lengths.pause));
    if (what === "kills") return this.#kill();
    const length = this.#random.int(...lengths.away);
    await this.#begin(what === "stops" ? this.#servers.stop(length) : this.#servers.cutOff(length));
  }

  async #deploy(): Promise<void> {
    await Promise.all(this.#pending);
    return this.#servers.deploy();
  }

  async #kill(): Promise<void> {
    const { replaced } = await this.#servers.kill();
    await this.#begin(replaced);
  }

  /** The next happening may come before it is over, if there is a server. */
  async #begin(over: Promise<void>): Promise<void> {
    this.#pending.add(over);
    // One that fails stays, and fails the round.
    over.then(
      () => this.#pending.delete(over),
      () => {},
    );
    if (this.#servers.ports.length === 0 || this.#random.chance(0.6)) await over;
  }

  async #check(): Promise<readonly string[]> {
    await this.#until("what becomes of every message", () => this.#clients.every(({ isSettled }) => isSettled));
    const logs = await Promise.all(this.#servers.ports.map((port) => this.#log(port)));
    const log = logs[0]!;
    const differs = logs.slice(1).filter((other) => other.join() !== log.join());
    const lacks = (client: Client): number => log.filter((text) => isFor(client.name, text) && !client.seen.has(text)).length;
    // What does not come is told by the check.
    await this.#until("the end of the topic", () => this.#clients.every((client) => lacks(client) === 0)).catch(() => {});
    const { failovers, behind } = countsOf(this.#plan);
    const allowed = { shownIsLost: failovers + behind > 0, acknowledgedIsLost: behind > 0 };
    return [...differs.map(() => "two servers have different logs"), ...faultsOf(this.#clients, log, allowed)];
  }

  /** What a server has of the topic. */
  async #log(port: number): Promise<readonly string[]> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/${this.#room}?state`, { maxPayload: 2 ** 28 });
    await once(socket, "open", { signal: AbortSignal.timeout(times.patience) });
    socket.send("state");
    const [data] = (await once(socket, "message", { signal: AbortSignal.timeout(times.patience) })) as [Buffer];
    socket.close();
    return JSON.parse(data.toString()) as readonly string[];
  }

  /** It is looked at whenever a client is told something. @throws Error after the deadline. */
  async #until(what: string, holds: () => boolean): Promise<void> {
    if (holds()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = (): void => void (holds() && resolve());
    const timer = setTimeout(() => reject(new Error(`${what} did not come: ${this.#shown()}`)), times.patience);
    this.#waiting.add(look);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(look);
    }
  }

  #shown(): string {
    return this.#clients
      .map(({ name, sent, acknowledged, shown, opened, cause, socket }) =>
        [
          name,
          socket.status,
          `sent ${sent.length}`,
          `acknowledged ${acknowledged.size}`,
          `shown ${shown.length}`,
          `opened ${opened}`,
          cause,
        ].join(" "),
      )
      .join("; ");
  }
}

function countsOf(plan: Partial<Counts>): Counts {
  return Object.fromEntries(happenings.map((what) => [what, plan[what] ?? 0])) as Counts;
}
