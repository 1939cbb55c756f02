/** A child process that is controlled by lines of text, and its use of CPU and memory. */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { createInterface } from "node:readline";

export class Lines {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: string[] = [];
  readonly #said: string[] = [];
  readonly #threads = new Map<string, number>();
  #wake: () => void = () => {};

  /** The core to run on, so that it does not share that of the measured server. */
  constructor(core: number, command: readonly string[]) {
    this.#child = spawn("taskset", ["-c", String(core), ...command], { stdio: "pipe" });
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#add(line));
    createInterface({ input: this.#child.stderr }).on("line", (line) => this.#said.push(line));
    this.#child.stdin.on("error", () => {});
    this.#child.on("error", (error) => this.#said.push(error.message));
    this.#child.on("exit", () => this.#wake());
  }

  say(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  async next(): Promise<string> {
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined) return line;
      if (this.ended) throw new Error(`${this.#child.spawnargs.join(" ")} ended:\n${this.#said.slice(-20).join("\n")}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async until<Found>(found: (line: string) => Found | undefined): Promise<Found> {
    for (;;) {
      const value = found(await this.next());
      if (value !== undefined) return value;
    }
  }

  /** Nanoseconds of CPU time of its threads. For threads that have ended, the last value read. */
  get cpu(): number {
    const tasks = `/proc/${this.#child.pid}/task`;
    for (const task of readdirSync(tasks)) {
      try {
        this.#threads.set(task, Number(readFileSync(`${tasks}/${task}/schedstat`, "utf8").split(" ")[0]));
      } catch (error) {
        // The thread has ended since it was listed (helper threads of V8 and JavaScriptCore come and go).
        if (!["ESRCH", "ENOENT"].includes((error as { code?: string }).code ?? "")) throw error;
      }
    }
    return [...this.#threads.values()].reduce((sum, spent) => sum + spent, 0);
  }

  /** Private memory in bytes, which is not shared with other processes. */
  get memory(): number {
    const rollup = readFileSync(`/proc/${this.#child.pid}/smaps_rollup`, "utf8");
    return [...rollup.matchAll(/^Private_\w+:\s+(\d+) kB$/gm)].reduce((sum, [, amount]) => sum + Number(amount), 0) * 1024;
  }

  /** Bytes that it has read, from sockets as well. */
  get read(): number {
    return Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${this.#child.pid}/io`, "utf8"))?.[1]);
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined;
  }

  /** Resolves when the process has ended by itself. */
  async end(): Promise<void> {
    if (!this.ended) await once(this.#child, "exit");
  }

  stop(): void {
    this.#child.kill("SIGKILL");
  }

  #add(line: string): void {
    this.#lines.push(line);
    this.#wake();
  }
}
