/** A measured server, on the first core. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { bunBinary, denoBinary, denoFlags } from "../../test/support/runtimes.ts";
import { before } from "./contenders.ts";
import type { Runtime } from "./contenders.ts";
import { inspect } from "../load/inspector.ts";
import { Lines } from "../load/lines.ts";
import { peersFolder } from "./peers.ts";
import { isWorkerd, workerd } from "./workerd.ts";

/** The smallest supported machine has two cores: the other one is for the client. */
const core = 0;
const own = import.meta.dirname;
const told = join(own, "told.ts");

export class Server {
  readonly name: string;
  readonly port: number;
  readonly #lines: Lines;
  readonly #runtime: Runtime;
  /** The inspector's port of workerd, if it is profiled. */
  #inspector = 0;

  /** Starts a server for a mode: it publishes to one topic in fan-out modes, otherwise it echoes. `profiles` is the folder for its profile. */
  static async start(name: string, runtime: Runtime, mode: string, profiles?: string): Promise<Server> {
    const lines = new Lines(core, await commandOf(name, runtime, mode, profiles));
    try {
      if (!isWorkerd(runtime)) return new Server(name, runtime, await lines.until(listening), lines);
      const inspector = profiles === undefined ? 0 : await lines.until((line) => workerdPort(line, "listen-inspector"));
      const server = new Server(name, runtime, await lines.until((line) => workerdPort(line, "listen")), lines);
      server.#inspector = inspector;
      return server;
    } catch (error) {
      lines.stop();
      throw error;
    }
  }

  private constructor(name: string, runtime: Runtime, port: number, lines: Lines) {
    this.name = name;
    this.port = port;
    this.#runtime = runtime;
    this.#lines = lines;
  }

  /** Nanoseconds of CPU time of its threads. */
  get cpu(): number {
    return this.#lines.cpu;
  }

  /** Private memory in bytes after garbage collection; only in mode `idle`. */
  async memory(): Promise<number> {
    if (isWorkerd(this.#runtime)) {
      const { status } = await fetch(`http://127.0.0.1:${this.port}/collect`);
      if (status !== 204) throw new Error(`${this.name} did not collect its garbage: ${status}`);
    } else {
      this.#lines.say("collect");
      await this.#lines.until((line) => (line === "COLLECTED" ? true : undefined));
    }
    return this.#lines.memory;
  }

  /**
   * Starts profiling. The returned function ends it: it returns the profile, or undefined if the process writes it into the folder passed to `start`.
   */
  async profile(): Promise<() => Promise<string | undefined>> {
    if (isWorkerd(this.#runtime)) return (await inspect(this.#inspector)).start();
    return async () => {
      this.#lines.say("exit");
      await this.#lines.end();
      return undefined;
    };
  }

  stop(): void {
    this.#lines.stop();
  }
}

function listening(line: string): number | undefined {
  return line.startsWith("LISTEN ") ? Number(line.slice(7)) : undefined;
}

/** workerd prints its ports as JSON on the descriptor that it is given, here stdout. */
function workerdPort(line: string, event: "listen" | "listen-inspector"): number | undefined {
  const said = line.startsWith("{") ? (JSON.parse(line) as { event: string; port?: number }) : { event: "" };
  return said.event === event ? said.port : undefined;
}

/** The folder of the checkout for the server `before`, if there is one. */
let checkout: string | undefined;

export function compareWith(folder: string | undefined): void {
  checkout = folder === undefined ? undefined : resolve(folder);
}

/** bench/servers has the servers of Edgewire and the bare runtimes, bench/peers those of other libraries. */
function fileOf(name: string, runtime: Runtime): string {
  const ours = name === before ? "edgewire" : name;
  const isProcess = ["edgewire", "kept", "delivery"].includes(ours) && !isWorkerd(runtime);
  const file = `${ours}.${isProcess ? "process" : runtime}.ts`;
  const folders = name === before && checkout !== undefined ? [join(checkout, "bench/servers")] : [own, peersFolder];
  const found = folders.map((folder) => join(folder, file)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`--servers ${name}: there is no bench/servers/${file} and no bench/peers/${file}`);
  return found;
}

async function commandOf(name: string, runtime: Runtime, mode: string, profiles: string | undefined): Promise<readonly string[]> {
  const file = fileOf(name, runtime);
  if (isWorkerd(runtime)) return workerd(name, file, runtime, mode, profiles !== undefined);
  const flags = mode === "idle" ? ["--expose-gc"] : [];
  const profiler = profiles === undefined ? [] : ["--cpu-prof", "--cpu-prof-dir", profiles];
  const args = flags.length + profiler.length > 0 ? [told, mode, file] : [file, mode];
  switch (runtime) {
    case "node":
      return [process.execPath, ...flags, ...profiler, ...args];
    case "bun":
      return [bunBinary, ...flags, ...profiler, ...args];
    case "deno":
      return [denoBinary(), ...denoFlags, ...flags.map((flag) => `--v8-flags=${flag}`), ...profiler, ...args];
  }
}
