/** The processes of a comparison: a server and its load generator, each pinned to a core of its own. */
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { bunBinary, denoBinary, denoFlags } from "../test/runtimes.ts";

export const runtimes = ["node", "bun", "deno", "workers", "durable"] as const;
export type Runtime = (typeof runtimes)[number];

const here = fileURLToPath(new URL(".", import.meta.url));
const temporary = join(here, "../.tmp/bench");
/** The server's core and the client's: two are all that the smallest machine has. */
const serverCore = "0";
const clientCore = "1";

/** Lines of a child, one at a time. */
class Lines {
  readonly child: ChildProcessWithoutNullStreams;
  readonly #lines: string[] = [];
  readonly #said: string[] = [];
  #wake: () => void = () => {};

  constructor(command: readonly string[]) {
    this.child = spawn(command[0]!, command.slice(1), { stdio: "pipe" });
    createInterface({ input: this.child.stdout }).on("line", (line) => this.#add(line));
    createInterface({ input: this.child.stderr }).on("line", (line) => this.#said.push(line));
    this.child.on("exit", () => this.#wake());
  }

  async next(): Promise<string> {
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined) return line;
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`${this.child.spawnargs.join(" ")} ended:\n${this.#said.slice(-20).join("\n")}`);
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  stop(): void {
    this.child.kill("SIGKILL");
  }

  #add(line: string): void {
    this.#lines.push(line);
    this.#wake();
  }
}

export interface Slice {
  readonly messages: number;
  readonly ms: number;
  /** Nanoseconds. */
  readonly p50?: number;
  readonly p99?: number;
}

export class Server {
  readonly name: string;
  readonly port: number;
  readonly #lines: Lines;

  static async start(name: string, runtime: Runtime, mode: string): Promise<Server> {
    const command = await commandOf(name, runtime, mode);
    const lines = new Lines(["taskset", "-c", serverCore, ...command]);
    if (runtime !== "workers" && runtime !== "durable") {
      let line = await lines.next();
      while (!line.startsWith("LISTEN ")) line = await lines.next();
      return new Server(name, Number(line.slice(7)), lines);
    }
    // workerd tells its ports as JSON on a descriptor that was asked for: stdout.
    let told = JSON.parse(await lines.next()) as { event: string; port?: number };
    while (told.event !== "listen") told = JSON.parse(await lines.next()) as typeof told;
    return new Server(name, told.port ?? 0, lines);
  }

  private constructor(name: string, port: number, lines: Lines) {
    this.name = name;
    this.port = port;
    this.#lines = lines;
  }

  /** Nanoseconds that its threads have been on a core. */
  get cpu(): number {
    let sum = 0;
    const tasks = `/proc/${this.#lines.child.pid}/task`;
    for (const task of readdirSync(tasks)) sum += Number(readFileSync(`${tasks}/${task}/schedstat`, "utf8").split(" ")[0]);
    return sum;
  }

  /** Bytes that are its own: not shared with other processes. */
  get memory(): number {
    const rollup = readFileSync(`/proc/${this.#lines.child.pid}/smaps_rollup`, "utf8");
    const kibibytes = [...rollup.matchAll(/^Private_\w+:\s+(\d+) kB$/gm)].reduce((sum, [, amount]) => sum + Number(amount), 0);
    return kibibytes * 1024;
  }

  stop(): void {
    this.#lines.stop();
  }
}

export interface LoadOptions {
  readonly mode: string;
  readonly connections: number;
  readonly inflight: number;
  readonly bytes: number;
  readonly type: "text" | "binary";
}

export class Load {
  readonly #lines: Lines;

  static async start(server: Server, { mode, connections, inflight, bytes, type }: LoadOptions): Promise<Load> {
    const args = [server.port, mode, connections, inflight, bytes, type].map(String);
    const load = new Load(new Lines(["taskset", "-c", clientCore, generator(), ...args]));
    await load.#answer();
    return load;
  }

  private constructor(lines: Lines) {
    this.#lines = lines;
  }

  async slice(milliseconds: number): Promise<Slice> {
    this.#lines.child.stdin.write(`go ${milliseconds}\n`);
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

let built: string | undefined;

function generator(): string {
  if (built !== undefined) return built;
  mkdirSync(temporary, { recursive: true });
  const binary = join(temporary, "load");
  const compiled = spawnSync("cc", ["-O2", "-o", binary, join(here, "load/load.c")], { stdio: "inherit" });
  if (compiled.status !== 0) throw new Error("the load generator needs a C compiler (cc): install gcc, or build-essential");
  return (built = binary);
}

async function commandOf(name: string, runtime: Runtime, mode: string): Promise<readonly string[]> {
  const own = name === "edgewire" ? "edgewire.process.ts" : `${name}.${runtime}.ts`;
  const file = join(here, "servers", own);
  switch (runtime) {
    case "node":
      return [process.execPath, "--expose-gc", file, mode];
    case "bun":
      return [bunBinary, file, mode];
    case "deno":
      return [denoBinary(), ...denoFlags, "--v8-flags=--expose-gc", file, mode];
    default:
      return workerd(name, runtime, mode);
  }
}

async function workerd(name: string, runtime: "workers" | "durable", mode: string): Promise<readonly string[]> {
  const directory = join(temporary, `${name}-${runtime}-${mode}`);
  mkdirSync(directory, { recursive: true });
  await build({
    entryPoints: [join(here, "servers", `${name}.${runtime}.ts`)],
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd"],
    external: ["cloudflare:*", "node:*"],
    define: { MODE: JSON.stringify(mode) },
    outfile: join(directory, "worker.js"),
  });
  const objects =
    runtime === "durable"
      ? `durableObjectNamespaces = [(className = "Room", uniqueKey = "room", enableSql = true)], durableObjectStorage = (inMemory = void),
         bindings = [(name = "ROOM", durableObjectNamespace = "Room"), (name = "MODE", text = "${mode}")],`
      : "";
  writeFileSync(
    join(directory, "config.capnp"),
    `using Workerd = import "/workerd/workerd.capnp";
     const config :Workerd.Config = (
       services = [(name = "main", worker = .worker)],
       sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
     );
     const worker :Workerd.Worker = (
       modules = [(name = "worker.js", esModule = embed "worker.js")],
       ${objects}
       compatibilityDate = "2026-10-01", compatibilityFlags = ["nodejs_compat"]
     );`,
  );
  const binary = join(here, "../node_modules/@cloudflare", `workerd-linux-${process.arch === "arm64" ? "arm64" : "64"}`, "bin/workerd");
  return [binary, "serve", join(directory, "config.capnp"), "--control-fd=1"];
}
