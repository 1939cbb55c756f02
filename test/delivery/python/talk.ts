/** Clients in Python, in a process of their own: talk.py. */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface TalkOptions {
  readonly url: string;
  readonly clients: number;
  readonly protocols?: readonly string[];
  /** Of DeliveryClient. */
  readonly options?: Readonly<Record<string, number>>;
}

/** What a client has told: its kind, and what belongs to it. */
export type TalkEvent = readonly [kind: string, ...rest: unknown[]];

/** A deadline, not a measure. */
const patience = 30_000;

export class Talk {
  /** By client, in order. */
  readonly events: readonly TalkEvent[][];
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #wake = new Set<() => void>();
  #errors = "";

  constructor(python: string, options: TalkOptions) {
    this.events = Array.from({ length: options.clients }, () => []);
    this.#child = spawn(python, ["-B", join(import.meta.dirname, "talk.py"), JSON.stringify(options)]);
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#errors += text));
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      const [index, ...event] = JSON.parse(line) as [number, ...TalkEvent];
      this.events[index]!.push(event);
      for (const wake of this.#wake) wake();
    });
    this.#child.on("exit", () => this.#wakeAll());
  }

  send(client: number, data: unknown): void {
    this.#child.stdin.write(`${JSON.stringify([client, "send", data])}\n`);
  }

  close(client: number): void {
    this.#child.stdin.write(`${JSON.stringify([client, "close"])}\n`);
  }

  /** The events of a kind, without it. */
  of(client: number, kind: string): unknown[] {
    return this.events[client]!.filter(([one]) => one === kind).map(([, ...rest]) => (rest.length === 1 ? rest[0] : rest));
  }

  /** Waits until it holds; it is looked at after each event. */
  async until(what: string, holds: () => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = (): void => {
      if (holds()) resolve();
      else if (this.#child.exitCode !== null) reject(new Error(`the clients ended before ${what}: ${this.#errors}`));
    };
    const timer = setTimeout(() => reject(new Error(`${what} did not come: ${this.#last()} ${this.#errors}`)), patience);
    this.#wake.add(look);
    look();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#wake.delete(look);
    }
  }

  /** All close, and the process ends by itself. Returns what it has said of errors. */
  async end(): Promise<string> {
    const exit = this.#child.exitCode === null ? once(this.#child, "exit") : undefined;
    this.#child.stdin.end();
    await exit;
    return this.#errors;
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }

  #last(): string {
    return this.events.map((events) => `${events.length} events, the last ${JSON.stringify(events.at(-1))}`).join("; ");
  }

  #wakeAll(): void {
    for (const wake of this.#wake) wake();
  }
}
