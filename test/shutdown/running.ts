/** A process of serve.ts, and clients that never stop talking. */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { commandFor, type Runtime } from "../docs/run.ts";

export interface Line {
  readonly ran?: string;
  readonly data?: string;
  readonly hangs?: string;
  readonly worked?: string;
  readonly slow?: string;
  readonly closed?: string;
  readonly code?: number;
  readonly own?: string;
  readonly exit?: readonly number[];
  readonly held?: string;
}

export class Running {
  readonly lines: Line[] = [];
  /** What it wrote to stderr. */
  readonly errors: string[] = [];
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  ports: number[] = [];
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  #changed = Promise.withResolvers<void>();

  static async start(runtime: Runtime, options: object, flags: readonly string[] = []): Promise<Running> {
    const running = new Running(runtime, options, flags);
    await running.until(() => running.ports.length > 0);
    return running;
  }

  private constructor(runtime: Runtime, options: object, flags: readonly string[]) {
    const [command, ...args] = commandFor(runtime, fileURLToPath(new URL("serve.ts", import.meta.url)), flags);
    this.#child = spawn(command, [...args, JSON.stringify(options)], { stdio: ["ignore", "pipe", "pipe"] });
    const gone = once(this.#child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
    this.ended = gone.then(([code, signal]) => ({ code, signal }));
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      if (line.startsWith("LISTEN ")) this.ports = line.slice(7).split(" ").map(Number);
      if (line.startsWith("@@")) this.lines.push(JSON.parse(line.slice(2)) as Line);
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

  /** Waits for a line, of either kind. */
  async until(found: () => boolean): Promise<void> {
    while (!found()) await this.#changed.promise;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** A status, and Retry-After. */
  async get(): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.ports[0]}/`);
    await response.body?.cancel();
    return `${response.status} ${response.headers.get("retry-after")}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended;
  }
}

export class Talker {
  readonly heard: string[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #socket: WebSocket;
  #next = 0;

  static async connect(port: number | undefined, name: string): Promise<Talker> {
    const talker = new Talker(new WebSocket(`ws://127.0.0.1:${port}/?name=${name}`));
    await once(talker.#socket, "open");
    return talker;
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data) => this.heard.push(String(data)));
    socket.on("error", () => {});
    this.closed = once(socket, "close").then(([code, reason]) => ({ code: code as number, reason: String(reason) }));
  }

  say(text: string): void {
    this.#socket.send(text);
  }

  /** Ends without a close frame. */
  lose(): void {
    this.#socket.terminate();
  }

  /** Several numbered messages at a time, until the connection closes. */
  talk(pause: number): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    for (let message = 0; message < 5; message++) this.say(String(this.#next++));
    setTimeout(() => this.talk(pause), pause);
  }
}
