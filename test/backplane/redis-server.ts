/** Real Redis servers, each with a port and a folder of its own, which ends with the test. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const deadline = 20_000;

export class RedisServer {
  readonly port: number;
  readonly #path: string;
  readonly #options: readonly string[];
  readonly #folder = mkdtempSync(join(tmpdir(), "edgewire-redis-"));
  #process: ChildProcess | undefined;

  private constructor(path: string, port: number, options: readonly string[]) {
    this.#path = path;
    this.port = port;
    this.#options = options;
  }

  /** @param path of redis-server. @param options of its command line. */
  static async start(path: string, ...options: readonly string[]): Promise<RedisServer> {
    const server = new RedisServer(path, await freePort(), options);
    await server.restart();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Begins without data, unless the options say otherwise. Settles when it takes connections. */
  async restart(): Promise<void> {
    const place = ["--port", String(this.port), "--bind", "127.0.0.1", "--dir", this.#folder];
    // A replica is served at once, and nothing is written to the disk.
    const fixed = [...place, "--save", "", "--repl-diskless-sync-delay", "0"];
    this.#process = await launch(this.#path, [...fixed, ...this.#options], "Ready to accept connections");
  }

  /** A sentinel that fails over from that server within a second or two. */
  static async sentinel(path: string, { port }: RedisServer): Promise<RedisServer> {
    const sentinel = new RedisServer(path, await freePort(), []);
    const file = join(sentinel.#folder, "sentinel.conf");
    const of = (option: string, value: number): string => `sentinel ${option} primary ${value}`;
    const lines = [`port ${sentinel.port}`, `sentinel monitor primary 127.0.0.1 ${port} 1`];
    writeFileSync(file, [...lines, of("down-after-milliseconds", 500), of("failover-timeout", 3000)].join("\n"));
    sentinel.#process = await launch(path, [file, "--sentinel"], "Sentinel ID is");
    return sentinel;
  }

  /** Without a chance to write anything. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }

  /** It answers nobody, and connections stay. */
  pause(): void {
    this.#process?.kill("SIGSTOP");
  }

  resume(): void {
    this.#process?.kill("SIGCONT");
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Settles when it says that it is ready. */
async function launch(path: string, args: readonly string[], ready: string): Promise<ChildProcess> {
  const child = spawn(path, args, { stdio: ["ignore", "pipe", "ignore"] });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const late = setTimeout(() => reject(new Error(`redis-server has not started within ${deadline} ms`)), deadline);
  const lines: string[] = [];
  createInterface(child.stdout).on("line", (line) => {
    lines.push(line);
    if (line.includes(ready)) resolve();
  });
  child.once("exit", (code) => reject(new Error(`redis-server ended with ${code}:\n${lines.slice(-5).join("\n")}`)));
  try {
    await promise;
    return child;
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  } finally {
    clearTimeout(late);
  }
}

/** A Redis cluster's port has another 10 000 above it. */
async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    if (port < 55_000) return port;
  }
}
