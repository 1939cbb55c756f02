/** Kills servers over one file while clients use them, and compares what the clients were shown with what is in the file. */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "../fuzz/random.ts";
import { Client } from "./client.ts";
import { problemsOf } from "./file.ts";
import type { State } from "./handler.ts";
import { Process, type Program, type RuntimeName } from "./process.ts";
import { Seen } from "./seen.ts";
import { long, topicNames } from "./topics.ts";

export interface Plan {
  readonly runtime: RuntimeName;
  readonly kills: number;
  readonly seed: number;
  /** The control: ends with the first kill after which something is missing. */
  readonly late?: boolean;
  progress?(report: Report): void;
}

export interface Report {
  readonly runtime: RuntimeName;
  kills: number;
  /** Messages and values that clients were shown. */
  messages: number;
  values: number;
  missing: number;
  twice: number;
  /** Other faults: positions, `complete`, transactions, the file itself. */
  other: number;
  /** Milliseconds that a server took to listen after a kill, at most. */
  longestStart: number;
  /** Kills by the moment that was chosen. */
  readonly moments: Record<Moment, number>;
  /** The first faults, in words. */
  said: readonly string[];
}

/** `load`: at any time; `checkpoint`: when the file itself has just been written; `start`: while it starts; `twice`: as soon as it listens again. */
type Moment = "load" | "checkpoint" | "start" | "twice";

const rooms = ["red", "green", "blue"];
const perRoom = 2;
/** Orders under way. */
const width = 16;

export async function run(plan: Plan): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), "edgewire-kill-"));
  const killing = new Killing(plan, join(folder, "rooms.db"));
  try {
    return await killing.run();
  } finally {
    await killing.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

class Killing {
  readonly #plan: Plan;
  readonly #random: Random;
  readonly #seen = new Seen();
  readonly #program: Program;
  readonly #clients: readonly Client[];
  readonly #report: Report;
  readonly #processes = new Set<Process>();
  #ids = 0;

  constructor(plan: Plan, file: string) {
    this.#plan = plan;
    this.#random = new Random(plan.seed);
    this.#program = { runtime: plan.runtime, file, late: plan.late === true };
    this.#clients = rooms.flatMap((room) => Array.from({ length: perRoom }, (_, index) => new Client(room, `${room}${index}`, this.#seen)));
    const moments = { load: 0, checkpoint: 0, start: 0, twice: 0 };
    const counts = { kills: 0, messages: 0, values: 0, missing: 0, twice: 0, other: 0, longestStart: 0 };
    this.#report = { runtime: plan.runtime, ...counts, moments, said: [] };
  }

  async run(): Promise<Report> {
    let server = this.#start();
    while (!this.#isDone) {
      await this.#join(server);
      server = await this.#round(server);
      this.#tell();
      this.#plan.progress?.(this.#report);
    }
    await this.#join(server);
    await this.#kill(server, "load").end();
    for (const problem of problemsOf(this.#program.file)) this.#seen.fault("other", problem);
    this.#tell();
    return this.#report;
  }

  get #isDone(): boolean {
    const { kills, late } = this.#plan;
    return this.#report.kills >= kills || (late === true && this.#seen.faults.missing > 0);
  }

  async end(): Promise<void> {
    for (const client of this.#clients) client.terminate();
    await Promise.all(Array.from(this.#processes, (server) => server.end()));
  }

  /** Load, a kill or two, and the server that came after. */
  async #round(server: Process): Promise<Process> {
    const random = this.#random;
    const moment = random.weighted<Moment>([
      [70, "load"],
      [10, "checkpoint"],
      [10, "start"],
      [10, "twice"],
    ]);
    const load = new AbortController();
    const working = Array.from({ length: width }, () => this.#work(load, moment === "checkpoint"));
    const written = moment === "checkpoint" && (await this.#checkpoint());
    if (moment !== "checkpoint") await sleep(random.int(2, 60));
    this.#kill(server, written ? "checkpoint" : "load");
    let next = this.#start();
    load.abort();
    await Promise.all([...working, ...this.#clients.map((client) => client.left())]);
    if (moment === "start" || moment === "twice") {
      await (moment === "start" ? sleep(random.next() * 1.2 * server.startedIn) : next.listening);
      this.#kill(next, moment);
      next = this.#start();
    }
    return next;
  }

  #start(): Process {
    const server = new Process(this.#program);
    this.#processes.add(server);
    return server;
  }

  #kill(server: Process, moment: Moment): Process {
    server.kill();
    this.#processes.delete(server);
    this.#report.kills++;
    this.#report.moments[moment]++;
    return server;
  }

  /** Everybody comes, and what is in the file is compared before anything is added to it. */
  async #join(server: Process): Promise<void> {
    const port = await server.listening;
    if (this.#report.kills > 0) this.#report.longestStart = Math.max(this.#report.longestStart, server.startedIn);
    await Promise.all(this.#clients.map((client) => client.connect(port)));
    for (const room of rooms) {
      const one = this.#clients.find((client) => client.room === room)!;
      this.#seen.check(room, (await one.ask("state")) as State);
    }
    for (const client of this.#clients) if (this.#random.chance(0.1)) client.forget();
    await Promise.all(this.#clients.map((client) => client.join()));
  }

  /** One order after the other, until the server is killed. */
  async #work(load: AbortController, heavy: boolean): Promise<void> {
    while (!load.signal.aborted) await this.#order(this.#random.pick(this.#clients), heavy).catch(() => load.abort());
  }

  async #order(client: Client, heavy: boolean): Promise<void> {
    const random = this.#random;
    const what = random.weighted([
      [heavy ? 100 : 12, "publish"],
      [2, "count"],
      [2, "set"],
      [1, "both"],
    ] as const);
    if (what === "count") await client.ask("count", "count");
    // Its own key: the values follow each other.
    else if (what === "set") await client.ask("set", client.name, ++this.#ids);
    else if (what === "both") await client.ask("both");
    else {
      const topics = new Set(
        Array.from(
          {
            length: random.weighted([
              [8, 1],
              [1, 2],
              [1, 3],
            ] as const),
          },
          () => random.pick(topicNames),
        ),
      );
      const size = random.chance(heavy ? 0.5 : 0.08) ? long : random.int(0, 200);
      await client.ask("publish", [...topics], `m${++this.#ids}`, random.chance(0.3) ? "bytes" : "text", size);
    }
  }

  /** Waits until the file itself is written, which only a checkpoint does, or for a second: then it returns false. */
  async #checkpoint(): Promise<boolean> {
    const { file } = this.#program;
    const before = statSync(file).mtimeMs;
    for (const end = performance.now() + 1000; performance.now() < end; await sleep(1)) if (statSync(file).mtimeMs !== before) return true;
    return false;
  }

  #tell(): void {
    const { messages, values, faults, said } = this.#seen;
    Object.assign(this.#report, { messages, values, ...faults, said });
  }
}

export function summaryOf({ runtime, kills, messages, values, missing, twice, other, longestStart, moments }: Report): string {
  const when = Object.entries(moments).map(([moment, count]) => `${count} ${moment}`);
  const shown = `${messages} messages and ${values} values shown, ${missing} missing, ${twice} twice, ${other} other faults`;
  return `${runtime}: ${kills} kills (${when.join(", ")}), ${shown}, longest start ${Math.round(longestStart)} ms`;
}
