/** A process of serve.ts with so few descriptors that a test can take them all. */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { WebSocket } from "ws";
import { commandFor, type Runtime } from "../docs/run.ts";

export class Served {
  readonly out: string[] = [];
  readonly errors: string[] = [];
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  port = 0;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  #changed = Promise.withResolvers<void>();

  static async start(options: object = {}, runtime: Runtime = "deno"): Promise<Served> {
    const served = new Served(runtime, options);
    await served.until(() => served.port > 0);
    return served;
  }

  private constructor(runtime: Runtime, options: object) {
    const command = [...commandFor(runtime, fileURLToPath(new URL("serve.ts", import.meta.url))), JSON.stringify(options)];
    this.#child = spawn("bash", ["-c", 'ulimit -n 100; exec "$@"', "-", ...command], {
      stdio: "pipe",
      env: { ...process.env, NO_COLOR: "1" },
    });
    this.ended = once(this.#child, "close").then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
    }));
    void this.ended.then(() => this.#wake());
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      if (line.startsWith("LISTEN ")) this.port = Number(line.slice(7));
      this.out.push(line);
      this.#wake();
    });
    createInterface({ input: this.#child.stderr }).on("line", (line) => {
      this.errors.push(line);
      this.#wake();
    });
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  async until(found: () => boolean): Promise<void> {
    while (!found()) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null)
        throw new Error(`the process has ended:\n${this.errors.join("\n")}`);
      await this.#changed.promise;
    }
  }

  async do(command: string): Promise<void> {
    const before = this.out.length;
    this.#child.stdin.write(`${command}\n`);
    await this.until(() => this.out.includes(`done ${command}`, before));
  }

  /** Nothing of the test keeps it any longer. */
  leave(): void {
    this.#child.stdin.end();
  }

  /** What Edgewire says. */
  get told(): string[] {
    return this.errors.filter((line) => line.startsWith("edgewire: "));
  }

  /** Takes all descriptors, and has clients come until Deno no longer listens, and as long as `then` takes. */
  async exhaust(then: () => Promise<unknown> = async () => {}): Promise<void> {
    await this.do("hog");
    const clients = setInterval(() => void connect(this.port).catch(() => {}), 20);
    try {
      await this.until(() => this.told.length > 0);
      await then();
    } finally {
      clearInterval(clients);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended;
  }
}

export async function connect(port: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  await once(socket, "open");
  return socket;
}

export async function echoes(socket: WebSocket, text: string): Promise<void> {
  socket.send(text);
  const [data] = (await once(socket, "message")) as [Buffer];
  expect(data.toString()).toBe(text);
}

/** A client comes again until it is served. */
export async function serves({ port }: Served): Promise<void> {
  await expect
    .poll(
      () =>
        connect(port)
          .then((socket) => echoes(socket, "new"))
          .then(() => "served", String),
      { timeout: 20_000, interval: 200 },
    )
    .toBe("served");
}
