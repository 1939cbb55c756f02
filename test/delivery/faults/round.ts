/** A round: clients in a room of their own, load until enough has happened, and the check. */
import { once } from "node:events";
import type { ClientOptions } from "edgewire/client";
import { WebSocket } from "ws";
import { Random } from "../../fuzz/random.ts";
import { faultsOf, gapsOf } from "./check.ts";
import { Client } from "./client.ts";
import { most, type State } from "./room.ts";

export interface Plan {
  /** Where clients connect: perhaps a proxy. */
  readonly port: () => number;
  /** Where the server is. */
  readonly server: () => number;
  readonly room: string;
  readonly seed: number;
  readonly clients: number;
  /** Of the clients' sockets. */
  readonly options?: ClientOptions;
  /** Returns to go through. */
  readonly returns?: number;
  /** Faults are over: what clients do from now on arrives. */
  calm?(): void;
  /** Makes the faults, while clients are busy: the load goes on until it has resolved. */
  faults?(round: Round): Promise<void>;
}

export interface Result {
  readonly seed: number;
  readonly returns: number;
  readonly messages: number;
  readonly gaps: number;
  readonly faults: readonly string[];
}

/** Milliseconds within which clients have to have everything, once faults end. */
const patience = 60_000;

export function run(plan: Plan): Promise<Result> {
  return new Round(plan).run();
}

export class Round {
  readonly clients: readonly Client[];
  readonly random: Random;
  readonly #plan: Plan;
  readonly #waiting = new Set<() => void>();
  #loads = true;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.random = new Random(plan.seed);
    const url = (): string => `ws://127.0.0.1:${plan.port()}/${plan.room}`;
    this.clients = Array.from(
      { length: plan.clients },
      (_, index) => new Client(url, String(index), new Random(plan.seed * 1000 + index), () => this.#told(), plan.options),
    );
  }

  get returns(): number {
    return this.clients.reduce((sum, { returns }) => sum + returns, 0);
  }

  get messages(): number {
    return this.clients.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
  }

  /** Resolves once it holds; it is looked at whenever a client is told something. @throws Error after the deadline. */
  async until(what: string, holds: () => boolean): Promise<void> {
    if (holds()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = (): void => void (holds() && resolve());
    const timer = setTimeout(() => reject(new Error(`seed ${this.#plan.seed}: ${what} did not come: ${this.#shown()}`)), patience);
    this.#waiting.add(look);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(look);
    }
  }

  /** Clients send nothing new meanwhile: what they have sent, and what comes of it, is still under way. */
  async paused(meanwhile: () => Promise<void>): Promise<void> {
    this.#loads = false;
    await meanwhile();
    this.#loads = true;
    this.#told();
  }

  async run(): Promise<Result> {
    const { returns = 0, faults, seed } = this.#plan;
    try {
      await this.#load(returns, faults);
      const state = await this.#end();
      return { seed, returns: this.returns, messages: state.all.length, gaps: gapsOf(this.clients), faults: faultsOf(this.clients, state) };
    } catch (error) {
      const wrong = this.clients.flatMap((client) => client.wrong.map((what) => `client ${client.name}: ${what}`));
      return { seed, returns: this.returns, messages: this.messages, gaps: 0, faults: [...wrong, String(error)] };
    } finally {
      this.#loads = false;
      await Promise.all(this.clients.map((client) => client.socket.readyState < 2 && client.close()));
    }
  }

  async #load(returns: number, faults: Plan["faults"]): Promise<void> {
    await this.until("the first welcome", () => this.clients.every(({ opened }) => opened > 0));
    await faults?.(this);
    // A room keeps so many messages: with so much load between cuts the round ends earlier.
    for (let next = 1; this.returns < returns && this.messages < most * 0.9; next++) {
      const before = this.messages;
      await this.until("more messages", () => this.messages >= before + 10 || this.returns >= returns);
    }
    this.#loads = false;
    this.#plan.calm?.();
  }

  /** Everybody has everything, leaves, and the room is asked what it has. */
  async #end(): Promise<State> {
    await this.until("every answer", () => this.clients.every(({ isDone }) => isDone));
    const { all } = await this.#state();
    const own = (name: string): number => all.filter((text) => text.startsWith(`x${name}:`)).length;
    await this.until("the end of every topic", () =>
      this.clients.every((client) => client.all.length >= all.length - own(client.name) && client.few.at(-1) === all.at(-1)),
    );
    await Promise.all(this.clients.map((client) => client.close()));
    return this.#closed();
  }

  /** The clients' close hooks have run. A client that could not say goodbye has to be missed first. */
  async #closed(): Promise<State> {
    for (const end = performance.now() + patience; ;) {
      const state = await this.#state();
      const isDone = this.clients.every(({ ids }) => [...ids].every((id) => state.hooks.includes(`close ${id}`)));
      if (isDone || performance.now() > end) return state;
    }
  }

  async #state(): Promise<State> {
    const socket = new WebSocket(`ws://127.0.0.1:${this.#plan.server()}/${this.#plan.room}?state`, { maxPayload: 2 ** 28 });
    await once(socket, "open");
    socket.send("state");
    const [data] = (await once(socket, "message")) as [Buffer];
    socket.close();
    return JSON.parse(data.toString()) as State;
  }

  #told(): void {
    if (this.#loads) for (const client of this.clients) client.pump();
    for (const look of this.#waiting) look();
  }

  #shown(): string {
    return this.clients
      .map(({ name, sent, acknowledged, answers, all, few, opened, socket }) =>
        JSON.stringify({
          name,
          sent: sent.length,
          acknowledged: acknowledged.length,
          answers: answers.length,
          all: all.length,
          few: few.length,
          opened,
          status: socket.status,
        }),
      )
      .join("; ");
  }
}
