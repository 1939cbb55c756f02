/** One run against one server: attackers in parallel, neighbours beside them, and what must hold during it and after it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Address } from "../support/client.ts";
import type { Entry } from "../support/log.ts";
import type { Running, Served } from "../support/runtimes.ts";
import { patience } from "./attack.ts";
import type { Attack, Attackers, CampaignOptions, Report } from "./attackers.ts";
import { Hooks } from "./hooks.ts";
import { Neighbours } from "./neighbour.ts";
import type { Cause } from "./plan.ts";
import { Random } from "./random.ts";
import { settle, Watch } from "./watch.ts";

/** Attackers at a time. */
const width = 24;
/** A Durable Object lets some descriptors go only when it is evicted: after 10 s without work, once no close waits for its answer (10 s more). */
const idle = 15_000;
/**
 * MiB that memory may have grown by in the end. It levels off after some 40 000 connections (Node: 154 after 3 700, 263 after 50 000, 278
 * after 292 000; workerd: 190 after 3 000, 280 after 36 000, 284 after 78 000), which the warm-up of a short run does not reach.
 */
const growth = 128;
/** MiB of heap that may be in use more in the end, after a collection. Deno keeps some 8 KiB for each client that it has lost (limits.ts): 9 became 17. */
const heapGrowth = 16;

export async function campaign(attackers: Attackers, options: CampaignOptions): Promise<Report> {
  const running = await attackers.start();
  const attempt = new Campaign(attackers, running, options);
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
  readonly #attackers: Attackers;
  readonly #running: Running;
  readonly #options: CampaignOptions;
  readonly #hooks: Hooks;
  readonly #watch: Watch;
  readonly #accepted = new Set<number>();
  readonly #refused = new Set<number>();
  /** Whose close hook may never come: a platform limit. */
  readonly #unsure = new Set<number>();
  readonly #left = new Map<Cause, number>();
  readonly #active = new Set<Attack>();
  readonly #recent: Attack[] = [];
  /** How many descriptors the platform may have lost. */
  #kept = 0;
  #next = 0;
  #connections = 0;
  #frames = 0;
  #resets = 0;
  #actions = 0;

  constructor(attackers: Attackers, running: Running, options: CampaignOptions) {
    this.#attackers = attackers;
    this.#running = running;
    this.#options = options;
    this.#hooks = new Hooks(running.log);
    this.#watch = new Watch(mainOf(running).port, !isCloudflare(running.runtime));
  }

  /** What was under way, and what came to its end just before: who killed the process is among them. */
  get active(): string {
    return [...this.#recent, ...this.#active].map(({ description }) => description).join("\n");
  }

  async run(): Promise<Report> {
    const { seed, seconds, warmUp, only } = this.#options;
    const random = new Random(seed);
    const neighbours = await Neighbours.start(mainOf(this.#running), this.#attackers.tag, random, this.#running.runtime === "workers");
    const watch = this.#watch;
    const atFirst = watch.descriptors;
    if (only !== undefined) {
      this.#next = only;
      await this.#round(neighbours, () => this.#connections >= 1);
    } else if (warmUp > 0) {
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
    await this.#attackers.finish?.(this.#running);
    return {
      connections: this.#connections,
      accepted: this.#accepted.size,
      refused: this.#refused.size,
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
    const number = this.#next++;
    const attack = this.#attackers.plan(number, this.#running);
    if (attack.losesClose) this.#unsure.add(number);
    this.#kept += attack.keptDescriptors;
    this.#active.add(attack);
    const { accepted, refused, frames, actions, reset, left } = await attack.run();
    this.#recent.push(attack);
    if (this.#recent.length > 5) this.#recent.shift();
    this.#active.delete(attack);
    this.#frames += frames;
    this.#actions += actions;
    if (reset) this.#resets++;
    for (const peer of accepted) this.#accepted.add(peer);
    for (const peer of refused) this.#refused.add(peer);
    if (left !== undefined) this.#left.set(left, (this.#left.get(left) ?? 0) + 1);
  }

  async #settleHooks(): Promise<void> {
    const hooks = this.#hooks;
    const unopened = (): number[] => [...this.#accepted].filter((peer) => !hooks.wasOpened(peer));
    const owed = (): readonly Entry[] => hooks.open.filter((entry) => !this.#mayVanish(entry));
    const pending = (): number => {
      hooks.read();
      this.#running.assertAlive();
      return owed().length + unopened().length;
    };
    const left = await settle(pending, 0, patience);
    const wrong = [...this.#refused].filter((peer) => hooks.wasOpened(peer));
    if (left === 0 && wrong.length === 0) return;
    const plans = (peers: readonly number[]): string =>
      peers
        .slice(0, 3)
        .map((peer) => this.#describe(peer))
        .join("\n");
    const [open, never] = [owed().map(({ peer }) => peer), unopened()];
    throw new Error(
      `${open.length} connections got no close hook, ${never.length} no open hook, ${wrong.length} were refused and got one\n` +
        [open, never, wrong].map(plans).join("\n"),
    );
  }

  #describe(peer: number): string {
    return this.#attackers.plan(this.#attackers.numberOf(peer), this.#running).description;
  }

  /** A platform limit; which connection a spoilt handshake was, its log may not know. */
  #mayVanish({ tag, peer }: Entry): boolean {
    return this.#unsure.size > 0 && (tag !== this.#attackers.tag || this.#unsure.has(this.#attackers.numberOf(peer)));
  }

  #show(): void {
    const { descriptors, memory } = this.#watch;
    const counts = `${this.#connections} connections, ${this.#frames} frames, ${this.#hooks.count} close hooks`;
    this.#options.progress(`${counts}; ${mebibytes(memory)}, ${descriptors} descriptors`);
  }
}

function mainOf(running: Running): Address {
  const address = running.address("main");
  if (address === undefined) throw new Error(`${running.runtime} has no listener main`);
  return address;
}

export function isCloudflare(runtime: Served): boolean {
  return runtime === "workers" || runtime === "durable";
}

export function mebibytes(value: number | undefined): string {
  return value === undefined ? "unknown" : `${Math.round(value)} MiB`;
}
