/** Starts a server process of a runtime, collects its log, evicts its objects, and ends it. */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Address } from "./client.ts";
import { classOf, type HandlerName } from "./handler.ts";
import { Log } from "./log.ts";
import { secret, secretName } from "./show.ts";

export const processRuntimes = ["node", "attached", "bun", "deno", "workers", "durable"] as const;
export type ProcessRuntime = (typeof processRuntimes)[number];
/** The servers that can be started. Only the contract uses Hono on Node; test/fuzz attacks the adapter below it. */
export type Served = ProcessRuntime | "hono";
/** Listeners with TLS, for the handlers "main" and "tight". */
export type SecureListener = "tls" | "tightTls";
export type Listener = HandlerName | SecureListener;

const here = join(dirname(fileURLToPath(import.meta.url)), "..");
/** Used by test/serve/heap.ts. */
const exposeGc = "--expose-gc";
/** Another Node than the tests' own serves if CONTRACT_NODE names one: `npm run campaign:node`. */
const nodeBinary = process.env["CONTRACT_NODE"] ?? process.execPath;
export const bunBinary: string = join(here, "../node_modules/.bin/bun");
export const denoFlags: readonly string[] = ["run", "--no-check", "--cached-only", "--node-modules-dir=manual", "--allow-all"];

/** workerd's default compatibility date; runs may use another one (test/support/case.ts). */
export const compatibilityDate = "2026-11-17";

function commandOf(runtime: Served, date: string, folder: string): readonly [string, ...string[]] {
  const file = (name: string): string => join(here, folder, `${name}.ts`);
  switch (runtime) {
    case "node":
      return [nodeBinary, exposeGc, file("server")];
    case "attached":
      return [nodeBinary, exposeGc, file("attached")];
    case "hono":
      return [nodeBinary, exposeGc, file("hono")];
    case "bun":
      return [bunBinary, exposeGc, file("server")];
    case "deno":
      return [denoBinary(), ...denoFlags, `--v8-flags=${exposeGc}`, file("server")];
    case "workers":
    case "durable":
      return [process.execPath, file("cloudflare"), runtime, date];
  }
}

/** Deno's native binary: `.bin/deno` is a Node script that does not pass signals on, and would leave the server running. */
export function denoBinary(): string {
  const libc = process.arch === "arm64" ? "linux-arm64-glibc" : "linux-x64-glibc";
  return join(dirname(createRequire(import.meta.url).resolve(`@deno/${libc}/package.json`)), "deno");
}

export interface StartOptions {
  /** workerd's compatibility date. */
  readonly date?: string | undefined;
  readonly hostname?: string;
  /** Contains its programs. Default: the contract's application. */
  readonly folder?: string;
  /** Its rooms are in a file. */
  readonly inFile?: boolean;
}

export class Running {
  readonly log: Log = new Log();
  readonly runtime: Served;
  readonly #spawn: () => ChildProcessWithoutNullStreams;
  #child: ChildProcessWithoutNullStreams;
  #ports: Record<string, number> = {};
  #output: string[] = [];
  #stopping = false;
  #death: Error | undefined;
  /** Of the file that keeps the rooms. */
  #folder: string | undefined;
  #answers: ((line: string) => void)[] = [];

  /** Starts a server; resolves when all listeners are ready. */
  static async start(runtime: Served, options: StartOptions = {}): Promise<Running> {
    const running = new Running(runtime, options);
    await running.#listening();
    return running;
  }

  private constructor(
    runtime: Served,
    { date = compatibilityDate, hostname = "127.0.0.1", folder = "serve", inFile = false }: StartOptions,
  ) {
    this.runtime = runtime;
    const [command, ...args] = commandOf(runtime, date, folder);
    if (inFile) this.#folder = mkdtempSync(join(tmpdir(), "edgewire-contract-"));
    // test/serve listens on HOST, and keeps its rooms in ROOMS.
    const rooms = this.#folder === undefined ? {} : { ROOMS: join(this.#folder, "rooms.db") };
    const env = { ...process.env, HOST: hostname, [secretName]: secret, ...rooms };
    this.#spawn = () => spawn(command, args, { stdio: "pipe", detached: true, env });
    this.#child = this.#follow(this.#spawn());
  }

  #follow(child: ChildProcessWithoutNullStreams): ChildProcessWithoutNullStreams {
    createInterface({ input: child.stdout }).on("line", (line) => this.#read(line));
    createInterface({ input: child.stderr }).on("line", (line) => this.#say(line));
    child.on("error", (error) => this.#die(error.message));
    child.on("exit", (code, signal) => this.#die(`exit code ${code}, signal ${signal}`));
    return child;
  }

  #listening(): Promise<true> {
    return this.log.until("LISTEN", () => (Object.keys(this.#ports).length > 0 ? true : undefined), 30_000);
  }

  /** Kills the process, and starts it again with all that it keeps in files. */
  async restart(): Promise<void> {
    this.#stopping = true;
    const gone = once(this.#child, "exit");
    process.kill(-this.#child.pid!, "SIGKILL");
    await gone;
    this.#stopping = false;
    this.#ports = {};
    this.#child = this.#follow(this.#spawn());
    await this.#listening();
  }

  /** Undefined if this runtime has no such listener. */
  address(listener: Listener): Address | undefined {
    const port = this.#ports[listener];
    return port === undefined ? undefined : { port, tls: listener === "tls" || listener === "tightTls" };
  }

  /** Throws if the process has ended, with its last output. */
  assertAlive(): void {
    if (this.#death !== undefined) throw this.#death;
  }

  /** Evicts the Durable Object of a room; false if it was not in memory. */
  async evict(handler: HandlerName, room: string): Promise<boolean> {
    const answer = new Promise<string>((resolve) => this.#answers.push(resolve));
    this.#child.stdin.write(`evict ${classOf(handler)} ${room}\n`);
    return (await answer) === "EVICTED";
  }

  /** The output of the process, apart from its log. */
  get output(): readonly string[] {
    return this.#output;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, "exit");
    this.#child.stdin.end();
    this.#child.kill("SIGTERM");
    // Signals the whole process group: workerd is a child of the process that we started.
    const kill = (): unknown => process.kill(-this.#child.pid!, "SIGKILL");
    const timer = setTimeout(kill, 5000);
    await gone;
    clearTimeout(timer);
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  #read(line: string): void {
    if (this.log.add(line)) return;
    if (line.startsWith("LISTEN ")) {
      this.#ports = JSON.parse(line.slice(7)) as Record<string, number>;
      this.log.wake();
    } else if (line === "EVICTED" || line.startsWith("ASLEEP")) this.#answers.shift()?.(line);
    else this.#say(line);
  }

  /** Keeps only the last lines: a server under attack may log for minutes. */
  #say(line: string): void {
    this.#output.push(line);
    if (this.#output.length > 20_000) this.#output.splice(0, 10_000);
  }

  #die(how: string): void {
    if (this.#stopping || this.#death !== undefined) return;
    this.#death = new Error(`the ${this.runtime} process ended (${how}):\n${this.#output.slice(-20).join("\n")}`);
    this.log.fail(this.#death);
  }
}
