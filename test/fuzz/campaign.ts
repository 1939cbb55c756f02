/** One run against one server: attackers in parallel, neighbours beside them, and what must hold during it and after it. */
import { setTimeout as sleep } from "node:timers/promises";
import { handlerNames } from "../handler.ts";
import type { Entry } from "../log.ts";
import { Running, type Listener, type ProcessRuntime } from "../runtimes.ts";
import { attack, patience } from "./attack.ts";
import { generate } from "./generate.ts";
import { Hooks } from "./hooks.ts";
import { isLimit, keptDescriptors, losesClose } from "./limits.ts";
import { Neighbours } from "./neighbour.ts";
import { describePlan, type Cause, type Plan } from "./plan.ts";
import { Random } from "./random.ts";
import { settle, Watch } from "./watch.ts";

export interface CampaignOptions {
  readonly seed: number;
  readonly seconds: number;
  /** Only this connection, to replay it alone. */
  readonly only?: number | undefined;
  /** A line now and then. */
  readonly progress: (line: string) => void;
}

export interface Report {
  readonly connections: number;
  readonly accepted: number;
  readonly frames: number;
  readonly rounds: number;
  /** Connections that the client reset. */
  readonly resets: number;
  /** Everything that was done: writes, waits, resets, frames of neighbours aside. */
  readonly actions: number;
  /** Resident memory, in MiB. */
  readonly memory: readonly [before: number, after: number];
  /** Heap in use after a collection, in MiB; workerd tells nobody. */
  readonly heap: readonly [before: number | undefined, after: number | undefined];
  readonly descriptors: readonly [before: number, after: number];
  /** How many connections the platform left to the client to end, by why it should have. */
  readonly left: ReadonlyMap<Cause, number>;
}

/** Attackers at a time. */
const width = 24;
/** The round before the one that is measured, after which what a runtime keeps for good has been allocated: so many connections, and a sixth of the time. */
const warmUp = 1000;
/** A Durable Object lets some descriptors go only when it is evicted: after 10 s without work, once no close waits for its answer (10 s more). */
const idle = 15_000;
/**
 * MiB that memory may have grown by in the end. It levels off after some 40 000 connections (Node: 154 after 3 700, 263 after 50 000, 278
 * after 292 000; workerd: 190 after 3 000, 280 after 36 000, 284 after 78 000), which the warm-up of a short run does not reach.
 */
const growth = 128;
/** MiB of heap that may be in use more in the end, after a collection. Deno keeps some 8 KiB for each client that it has lost (limits.ts): 9 became 17. */
const heapGrowth = 16;

export async function campaign(runtime: ProcessRuntime, options: CampaignOptions): Promise<Report> {
  const running = await Running.start(runtime);
  const attempt = new Campaign(runtime, running, options);
  try {
    return await attempt.run();
  } catch (error) {
    // That the process died explains more than what one client saw of it; its exit may be reported later than its sockets'.
    await sleep(500);
    try {
      running.assertAlive();
    } catch (death) {
      throw new Error(`${(death as Error).message}\nConnections at that time:\n${attempt.active}\n${String(error)}`, { cause: death });
    }
    throw error;
  } finally {
    await running.stop();
  }
}

class Campaign {
  readonly #runtime: ProcessRuntime;
  readonly #running: Running;
  readonly #options: CampaignOptions;
  readonly #hooks: Hooks;
  readonly #watch: Watch;
  readonly #tag: string;
  readonly #listeners: readonly Listener[];
  readonly #accepted = new Set<number>();
  /** Whose close hook may never come: a platform limit. */
  readonly #unsure = new Set<number>();
  readonly #left = new Map<Cause, number>();
  readonly #active = new Set<Plan>();
  readonly #recent: Plan[] = [];
  /** How many descriptors the platform may have lost. */
  #kept = 0;
  #next = 0;
  #connections = 0;
  #frames = 0;
  #resets = 0;
  #actions = 0;

  constructor(runtime: ProcessRuntime, running: Running, options: CampaignOptions) {
    this.#runtime = runtime;
    this.#running = running;
    this.#options = options;
    this.#hooks = new Hooks(running.log);
    this.#tag = `fuzz-${options.seed}`;
    this.#listeners = [...handlerNames, "tls" as const].filter((name) => running.address(name) !== undefined);
    this.#watch = new Watch(this.#address("main").port, !["workers", "durable"].includes(runtime));
  }

  /** What was under way, and what came to its end just before: who killed the process is among them. */
  get active(): string {
    return [...this.#recent, ...this.#active].map((plan) => describePlan(plan)).join("\n");
  }

  async run(): Promise<Report> {
    const { seed, seconds, only } = this.#options;
    const random = new Random(seed);
    const neighbours = await Neighbours.start(this.#address("main"), this.#tag, random, this.#runtime === "workers");
    const watch = this.#watch;
    const atFirst = watch.descriptors;
    if (only !== undefined) {
      this.#next = only;
      await this.#round(neighbours, () => this.#connections >= 1);
    } else {
      const warm = Date.now() + (seconds * 1000) / 6;
      await this.#round(neighbours, () => this.#connections >= warmUp && Date.now() >= warm);
    }
    const descriptors = await settle(() => watch.descriptors, atFirst, idle);
    const [memory, heap] = [watch.memory, await watch.heap()];
    this.#kept = 0;

    const end = Date.now() + (seconds * 5000) / 6;
    if (only === undefined) await this.#round(neighbours, () => Date.now() >= end);
    const after = {
      descriptors: await settle(() => watch.descriptors - this.#kept, descriptors, idle).then(() => watch.descriptors),
      memory: await settle(() => watch.memory, memory + growth, patience),
      heap: await watch.heap(),
    };
    await neighbours.stop();
    this.#running.assertAlive();
    if (after.descriptors - this.#kept > descriptors)
      throw new Error(`${after.descriptors} descriptors are open, ${descriptors} were before`);
    if (after.memory > memory + growth) throw new Error(`${mebibytes(after.memory)} of memory are used, ${mebibytes(memory)} were before`);
    if (heap !== undefined && after.heap! > heap + heapGrowth)
      throw new Error(`${mebibytes(after.heap!)} of heap are used, ${mebibytes(heap)} were before`);
    return {
      connections: this.#connections,
      accepted: this.#accepted.size,
      frames: this.#frames,
      rounds: neighbours.rounds,
      resets: this.#resets,
      actions: this.#actions,
      memory: [memory, after.memory],
      heap: [heap, after.heap],
      descriptors: [descriptors, after.descriptors],
      left: this.#left,
    };
  }

  /** Attacks until `enough`, then waits for the close hook of every connection that was opened. */
  async #round(neighbours: Neighbours, enough: () => boolean): Promise<void> {
    const over = new AbortController();
    const supervise = async (): Promise<void> => {
      let shown = Date.now();
      while (!over.signal.aborted) {
        this.#hooks.read();
        this.#running.assertAlive();
        if (Date.now() - shown >= 5000) {
          this.#show();
          shown = Date.now();
        }
        await sleep(50);
      }
    };
    const attackers = Promise.all(
      Array.from({ length: width }, async () => {
        while (!over.signal.aborted && !enough()) await this.#attack();
      }),
    );
    try {
      await Promise.race([attackers, supervise(), neighbours.failed]);
    } finally {
      over.abort();
    }
    await this.#settleHooks();
  }

  async #attack(): Promise<void> {
    this.#connections++;
    const plan = this.#plan(this.#next++);
    if (losesClose(this.#runtime, plan)) this.#unsure.add(plan.number);
    this.#kept += keptDescriptors(this.#runtime, plan);
    this.#active.add(plan);
    const outcome = await attack(plan, this.#address(plan.on), (cause) => isLimit(this.#runtime, cause));
    this.#recent.push(plan);
    if (this.#recent.length > 5) this.#recent.shift();
    this.#active.delete(plan);
    this.#frames += plan.frames;
    this.#actions += plan.actions.length;
    if (plan.actions.some(({ type }) => type === "reset")) this.#resets++;
    if (outcome.accepted && plan.on !== "bare") this.#accepted.add(plan.number);
    if (outcome.left !== undefined) this.#left.set(outcome.left, (this.#left.get(outcome.left) ?? 0) + 1);
  }

  async #settleHooks(): Promise<void> {
    const hooks = this.#hooks;
    const unopened = (): number[] => [...this.#accepted].filter((number) => !hooks.wasOpened(number));
    const owed = (): readonly Entry[] => hooks.open.filter((entry) => !this.#mayVanish(entry));
    const pending = (): number => {
      hooks.read();
      this.#running.assertAlive();
      return owed().length + unopened().length;
    };
    if ((await settle(pending, 0, patience)) === 0) return;
    const plans = (numbers: readonly number[]): string =>
      numbers
        .slice(0, 3)
        .map((number) => describePlan(this.#plan(number)))
        .join("\n");
    const [open, never] = [owed().map(({ peer }) => peer), unopened()];
    throw new Error(`${open.length} connections got no close hook, ${never.length} no open hook\n${plans(open)}\n${plans(never)}`);
  }

  /** A platform limit; which connection a spoilt handshake was, its log may not know. */
  #mayVanish({ tag, peer }: Entry): boolean {
    return this.#unsure.size > 0 && (tag !== this.#tag || this.#unsure.has(peer));
  }

  #plan(number: number): Plan {
    return generate(this.#options.seed, number, this.#tag, this.#listeners);
  }

  #show(): void {
    const { descriptors, memory } = this.#watch;
    const counts = `${this.#connections} connections, ${this.#frames} frames, ${this.#hooks.count} close hooks`;
    this.#options.progress(`${counts}; ${mebibytes(memory)}, ${descriptors} descriptors`);
  }

  #address(listener: Listener): { port: number } {
    const address = this.#running.address(listener);
    if (address === undefined) throw new Error(`${this.#runtime} has no listener ${listener}`);
    return address;
  }
}

export function mebibytes(value: number | undefined): string {
  return value === undefined ? "unknown" : `${Math.round(value)} MiB`;
}
