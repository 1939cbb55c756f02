/** A server that is measured, on the first core. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { bunBinary, denoBinary, denoFlags } from "../test/runtimes.ts";
import type { Runtime } from "./contenders.ts";
import { Lines } from "./lines.ts";
import { peersFolder } from "./peers.ts";
import { isWorkerd, workerd } from "./workerd.ts";

/** Two cores are all that the smallest machine has: the other is the client's. */
const core = 0;
const own = join(import.meta.dirname, "servers");
const collector = join(own, "collect.ts");

export class Server {
  readonly name: string;
  readonly port: number;
  readonly #lines: Lines;
  readonly #collectsByRequest: boolean;

  /** What it serves is told by the mode: subscribers of one topic, or an echo for all other modes. */
  static async start(name: string, runtime: Runtime, mode: string): Promise<Server> {
    const lines = new Lines(core, await commandOf(name, runtime, mode));
    try {
      const port = await lines.until(isWorkerd(runtime) ? workerdPort : listening);
      return new Server(name, port, lines, isWorkerd(runtime));
    } catch (error) {
      lines.stop();
      throw error;
    }
  }

  private constructor(name: string, port: number, lines: Lines, collectsByRequest: boolean) {
    this.name = name;
    this.port = port;
    this.#lines = lines;
    this.#collectsByRequest = collectsByRequest;
  }

  /** Nanoseconds that its threads have been on a core. */
  get cpu(): number {
    return this.#lines.cpu;
  }

  /** Bytes that are its own, after it has collected its garbage; in mode `idle` only. */
  async memory(): Promise<number> {
    if (this.#collectsByRequest) {
      const { status } = await fetch(`http://127.0.0.1:${this.port}/collect`);
      if (status !== 204) throw new Error(`${this.name} did not collect its garbage: ${status}`);
    } else {
      this.#lines.say("collect");
      await this.#lines.until((line) => (line === "COLLECTED" ? true : undefined));
    }
    return this.#lines.memory;
  }

  stop(): void {
    this.#lines.stop();
  }
}

function listening(line: string): number | undefined {
  return line.startsWith("LISTEN ") ? Number(line.slice(7)) : undefined;
}

/** workerd tells its ports as JSON on a descriptor that was asked for: stdout. */
function workerdPort(line: string): number | undefined {
  const told = line.startsWith("{") ? (JSON.parse(line) as { event: string; port?: number }) : { event: "" };
  return told.event === "listen" ? told.port : undefined;
}

/** bench/servers has what is Edgewire's and the runtimes' own, bench/peers the others'. */
function fileOf(name: string, runtime: Runtime): string {
  const file = name === "edgewire" && !isWorkerd(runtime) ? "edgewire.process.ts" : `${name}.${runtime}.ts`;
  const found = [own, peersFolder].map((folder) => join(folder, file)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`--servers ${name}: there is no bench/servers/${file} and no bench/peers/${file}`);
  return found;
}

async function commandOf(name: string, runtime: Runtime, mode: string): Promise<readonly string[]> {
  const file = fileOf(name, runtime);
  if (isWorkerd(runtime)) return workerd(name, file, runtime, mode);
  const [flags, args] = mode === "idle" ? [["--expose-gc"], [collector, mode, file]] : [[], [file, mode]];
  switch (runtime) {
    case "node":
      return [process.execPath, ...flags, ...args];
    case "bun":
      return [bunBinary, ...flags, ...args];
    case "deno":
      return [denoBinary(), ...denoFlags, ...flags.map((flag) => `--v8-flags=${flag}`), ...args];
  }
}
