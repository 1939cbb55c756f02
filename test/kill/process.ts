/** A server process that is killed, over a file. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { bunBinary, denoBinary, denoFlags } from "../support/runtimes.ts";

export const runtimes = ["node", "bun", "deno"] as const;
export type RuntimeName = (typeof runtimes)[number];

export interface Program {
  readonly runtime: RuntimeName;
  /** The file of its rooms. */
  readonly file: string;
  /** It is the control: it commits late. */
  readonly late: boolean;
  /** Default: server.ts. */
  readonly program?: string;
  /** After the file. */
  readonly args?: readonly string[];
}

/** Milliseconds for which a process that was asked to end may take. */
const patience = 20_000;

export class Process {
  /** The port, once it listens. Rejects if it ends by itself before. */
  readonly listening: Promise<number>;
  /** Milliseconds from its start until it listened. */
  startedIn = 0;
  #killed = false;
  readonly #child: ReturnType<typeof launch>;
  readonly #gone: Promise<unknown>;

  constructor(program: Program) {
    const begin = performance.now();
    this.#child = launch(program);
    this.#gone = once(this.#child, "exit");
    const said: string[] = [];
    createInterface({ input: this.#child.stderr }).on("line", (line) => said.push(line));
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.listening = promise;
    // A process that is killed while it starts is awaited by nobody.
    promise.catch(() => {});
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      if (!line.startsWith("LISTEN ")) return;
      this.startedIn = performance.now() - begin;
      resolve(Number(line.slice(7)));
    });
    this.#child.on("exit", (code, signal) => {
      const error = new Error(`${program.runtime} ended by itself (exit code ${code}, signal ${signal}):\n${said.slice(-20).join("\n")}`);
      if (!this.#killed) reject(error);
    });
  }

  /** Does not wait for its end. */
  kill(): void {
    this.#killed = true;
    this.#child.kill("SIGKILL");
  }

  /** Stops it where it is, as a machine that sleeps does. */
  pause(): void {
    this.#child.kill("SIGSTOP");
  }

  goOn(): void {
    this.#child.kill("SIGCONT");
  }

  /** Asks it to end. Rejects if it takes too long. */
  async terminate(): Promise<void> {
    this.#killed = true;
    this.#child.kill("SIGTERM");
    const { promise, reject } = Promise.withResolvers<never>();
    const late = setTimeout(() => reject(new Error(`it has not ended within ${patience} ms of SIGTERM`)), patience);
    try {
      await Promise.race([this.#gone, promise]);
    } finally {
      clearTimeout(late);
      await this.end();
    }
  }

  async end(): Promise<void> {
    this.kill();
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.#gone;
  }
}

function launch({
  runtime,
  file,
  late,
  program = "server.ts",
  args: more = [],
}: Program): ReturnType<typeof spawn> & { stdout: NodeJS.ReadableStream; stderr: NodeJS.ReadableStream } {
  const server = join(import.meta.dirname, program);
  const [command, ...args] = {
    node: [process.execPath, server],
    bun: [bunBinary, server],
    deno: [denoBinary(), ...denoFlags, server],
  }[runtime] as [string, ...string[]];
  return spawn(command, [...args, file, ...(late ? ["late"] : []), ...more], { stdio: ["pipe", "pipe", "pipe"] });
}
