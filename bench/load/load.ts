/** Starts the load generator on the second core: in C, compiled when needed, or on Bun if there is no compiler. */
import { spawnSync } from "node:child_process";
import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { bunBinary } from "../../test/support/runtimes.ts";
import { Lines } from "./lines.ts";
import { temporary } from "./temporary.ts";

const core = 1;

export interface LoadOptions {
  readonly mode: string;
  readonly connections: number;
  /** Messages in flight on each connection; publishes or handshakes in flight in total. */
  readonly inflight: number;
  readonly bytes: number;
  /** "socketio" is text in the protocol of Socket.IO. Only in C, as are rooms and several ports. */
  readonly type: "text" | "binary" | "socketio";
  /** Rooms of a cluster: paths name them. */
  readonly rooms?: number;
}

export interface Slice {
  readonly messages: number;
  readonly ms: number;
  /** Share of the time in which the generator was busy, from 0 to 1. */
  readonly busy: number;
  /** Nanoseconds. */
  readonly p50?: number;
  readonly p99?: number;
}

export const generators = ["c", "bun"] as const;
export type Generator = (typeof generators)[number];

export class Load {
  readonly #lines: Lines;

  /** Resolves when all of its connections are open. */
  static async start(
    port: number | readonly number[],
    { mode, connections, inflight, bytes, type, rooms }: LoadOptions,
    generator: Generator,
  ): Promise<Load> {
    const args = [port, mode, connections, inflight, bytes, type, ...(rooms === undefined ? [] : [rooms])];
    const load = new Load(new Lines(core, [...commands[generator](), ...args.map(String)]));
    try {
      await load.#answer();
      return load;
    } catch (error) {
      load.stop();
      throw error;
    }
  }

  private constructor(lines: Lines) {
    this.#lines = lines;
  }

  async slice(milliseconds: number): Promise<Slice> {
    this.#lines.say(`go ${milliseconds}`);
    return (await this.#answer()) as Slice;
  }

  /** Waits until the connections of a node are lost, and opens them again at the others. @param end ends the node. */
  async move(node: number, end: () => Promise<void>): Promise<Slice> {
    this.#lines.say(`move ${node}`);
    await this.#answer();
    await end();
    return (await this.#answer()) as Slice;
  }

  stop(): void {
    this.#lines.stop();
  }

  async #answer(): Promise<unknown> {
    const answer = JSON.parse(await this.#lines.next()) as { error?: string };
    if (answer.error !== undefined) throw new Error(`the load generator: ${answer.error}`);
    return answer;
  }
}

/** C if there is a compiler. */
export function defaultGenerator(): Generator {
  return spawnSync("cc", ["--version"]).status === 0 ? "c" : "bun";
}

let built: string | undefined;

const commands: Readonly<Record<Generator, () => readonly string[]>> = {
  c: () => [(built ??= compile())],
  bun: () => [bunBinary, join(import.meta.dirname, "generator.ts")],
};

function compile(): string {
  mkdirSync(temporary, { recursive: true });
  const binary = join(temporary, "load");
  // Another process may compile or start it at the same time: the file is replaced atomically.
  const fresh = `${binary}.${process.pid}`;
  const { status, stderr, error } = spawnSync("cc", ["-O2", "-o", fresh, join(import.meta.dirname, "load.c")], { encoding: "utf8" });
  if (status !== 0) throw new Error(`bench/load/load.c does not compile (--generator bun needs no compiler):\n${error?.message ?? stderr}`);
  renameSync(fresh, binary);
  return binary;
}
