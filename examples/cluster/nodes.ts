/** The nodes of `npm start -- node --nodes 2`: processes of one server, each on a port of its own. One that ends is started again. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";

export interface NodeOptions {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** What a server prints before its address. */
  readonly says: string;
  /** A node listens on this port. What is returned is called when it has ended. */
  onPort(port: number): () => void;
}

/** Milliseconds until a node that has ended is started again, and for which nodes that are asked to stop may take. */
const times = { restart: 3_000, stop: 15_000 } as const;

export class Nodes {
  readonly #options: NodeOptions;
  readonly #running = new Set<ChildProcess>();
  readonly #restarts = new Set<ReturnType<typeof setTimeout>>();
  #isStopping = false;

  constructor(options: NodeOptions) {
    this.#options = options;
    process.once("exit", () => this.#kill("SIGKILL"));
  }

  /** Resolves when all of them listen. @throws Error if one can't. */
  async start(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, (_, index) => this.#start(`node ${index + 1}`)));
  }

  /** Resolves when all have ended. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const timer of this.#restarts) clearTimeout(timer);
    const late = setTimeout(() => this.#kill("SIGKILL"), times.stop);
    this.#kill("SIGTERM");
    await Promise.all(Array.from(this.#running, (child) => new Promise((resolve) => child.once("close", resolve))));
    clearTimeout(late);
  }

  #kill(signal: NodeJS.Signals): void {
    for (const child of this.#running) child.kill(signal);
  }

  /** Resolves when it listens; rejects when it ends before that. */
  #start(name: string): Promise<void> {
    const { file, args, cwd, env, says, onPort } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const child = spawn(file, args, { cwd, env: { ...env, PORT: "0", NODE_NAME: name }, stdio: ["ignore", "pipe", "inherit"] });
    this.#running.add(child);
    let gone = (): void => {};
    createInterface(child.stdout).on("line", (line) => {
      const port = line.startsWith(says) ? /:(\d+)\/?$/.exec(line)?.[1] : undefined;
      if (port === undefined) return console.log(`${name}: ${line}`);
      gone = onPort(Number(port));
      console.log(`${name}: listens on port ${port}, process ${child.pid}`);
      resolve();
    });
    child.once("error", reject);
    child.once("close", (code, signal) => {
      this.#running.delete(child);
      gone();
      reject(new Error(`${name} ended with ${signal ?? code}.`));
      if (!this.#isStopping) this.#restart(name, signal ?? code);
    });
    return promise;
  }

  #restart(name: string, why: string | number | null): void {
    console.log(`${name}: ended with ${why}. It starts again in ${times.restart / 1_000} s.`);
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      // Its end is told, and starts it again.
      this.#start(name).catch(() => {});
    }, times.restart);
    this.#restarts.add(timer);
  }
}
