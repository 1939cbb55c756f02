/** An example as `npm start` runs it, on a port of its own, started and stopped as a person would. */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export const root: string = join(import.meta.dirname, "../..");

/** The runtimes of a file: those that `npm test` takes, and the others, which `npm run campaign:e2e` takes too. A page is the same on each. */
export function runtimes<Name extends string>(usual: readonly Name[], others: readonly Name[]): readonly Name[] {
  return process.env["E2E"] === "all" ? [...usual, ...others] : usual;
}

export class ExampleServer {
  readonly example: "chat" | "cursors" | "assistant";
  readonly runtime: string;
  readonly port: number;
  /** What it keeps, from one start to the next. */
  readonly state: string = mkdtempSync(join(tmpdir(), "edgewire-example-"));
  #child: ChildProcess | undefined;

  private constructor(example: "chat" | "cursors" | "assistant", runtime: string, port: number) {
    this.example = example;
    this.runtime = runtime;
    this.port = port;
  }

  static async start(example: "chat" | "cursors" | "assistant", runtime: string): Promise<ExampleServer> {
    for (let tries = 1; ; tries++) {
      const server = new ExampleServer(example, runtime, await freePort());
      try {
        await server.start();
        return server;
      } catch (error) {
        // Another test was given the port meanwhile.
        if (tries === 3 || !/in use/i.test(String(error))) throw error;
        await server.end();
      }
    }
  }

  get url(): string {
    return `http://localhost:${this.port}`;
  }

  /** Resolves when the server has printed where it is. */
  async start(): Promise<void> {
    const env = { ...process.env, PORT: String(this.port), [`${this.example.toUpperCase()}_STATE`]: this.state, CI: "1" };
    const child = spawn(process.execPath, [join(root, "examples/start.ts"), this.example, this.runtime], {
      cwd: root,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    const printed: string[] = [];
    child.stderr.setEncoding("utf8").on("data", (text: string) => printed.push(text));
    for await (const line of createInterface(child.stdout)) {
      printed.push(line);
      if (line.endsWith(` at ${this.url}`)) {
        child.stdout.resume();
        return;
      }
    }
    throw new Error(`${this.example} on ${this.runtime} ended before it served:\n${printed.join("\n")}`);
  }

  /** Asks it to stop, and resolves when it has: afterwards its port is free. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    await exited;
  }

  /** SIGKILL to the server itself, which `npm start` has started, and on Cloudflare to workerd below it. Resolves when `npm start` has ended. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child?.pid === undefined) throw new Error(`${this.example} was not started`);
    const exited = once(child, "exit");
    for (const pid of descendants(child.pid)) process.kill(pid, "SIGKILL");
    await exited;
  }

  /** Stops it, and deletes what it keeps. */
  async end(): Promise<void> {
    await this.stop();
    rmSync(this.state, { recursive: true, force: true });
  }
}

/** Processes that it started, and those that they did. */
function descendants(pid: number): readonly number[] {
  const { stdout } = spawnSync("ps", ["-o", "pid=", "--ppid", String(pid)], { encoding: "utf8" });
  const children = stdout
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map(Number);
  return children.flatMap((each) => [each, ...descendants(each)]);
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0);
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
