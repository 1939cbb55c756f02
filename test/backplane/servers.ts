/** Real servers of a room in Redis, and clients of theirs. */
import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { WebSocket } from "ws";
import { bunBinary, denoBinary, denoFlags } from "../support/runtimes.ts";

const here = import.meta.dirname;
const deadline = 12_000;

const commands = {
  node: [process.execPath],
  bun: [bunBinary],
  deno: [denoBinary(), ...denoFlags],
} as const;

export type Runtime = keyof typeof commands;

/** A program of test/backplane/served on a runtime. */
export function run(runtime: Runtime, program: string, ...args: readonly string[]): ChildProcessWithoutNullStreams {
  const [command, ...flags] = commands[runtime];
  return spawn(command, [...flags, join(here, "served", `${program}.ts`), ...args], { cwd: join(here, "../..") });
}

/** Rejects if it takes too long. */
export async function inTime<Answer>(answer: Promise<Answer>, what: () => string): Promise<Answer> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what()} within ${deadline} ms`)), deadline);
  try {
    return await Promise.race([answer, promise]);
  } finally {
    clearTimeout(timer);
  }
}

export class ServerProcess {
  readonly port: number;
  readonly process: ChildProcessWithoutNullStreams;
  readonly #exited: Promise<unknown>;

  private constructor(child: ChildProcessWithoutNullStreams, exited: Promise<unknown>, port: number) {
    this.process = child;
    this.#exited = exited;
    this.port = port;
  }

  static async start(runtime: Runtime, redisUrl: string): Promise<ServerProcess> {
    const child = run(runtime, "server", redisUrl);
    const exited = once(child, "exit");
    const output: string[] = [];
    const { promise, resolve } = Promise.withResolvers<number>();
    child.stderr.on("data", (data) => void output.push(String(data)));
    createInterface(child.stdout).on("line", (line) => {
      output.push(line);
      const port = /^LISTEN (\d+)/.exec(line)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
    const port = await inTime(promise, () => `${runtime} does not listen: ${output.join("\n")}`);
    return new ServerProcess(child, exited, port);
  }

  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.#exited;
  }
}

export class Client {
  readonly socket: WebSocket;
  readonly heard: string[] = [];
  readonly closed: Promise<number>;
  #told = Promise.withResolvers<void>();

  private constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = once(socket, "close").then(([code]) => code as number);
    // Its end is told by `closed`.
    socket.on("error", () => {});
    socket.on("message", (data) => {
      this.heard.push(String(data));
      this.#told.resolve();
      this.#told = Promise.withResolvers();
    });
  }

  static async join({ port }: { readonly port: number }, name: string): Promise<Client> {
    const client = new Client(new WebSocket(`ws://127.0.0.1:${port}/?name=${name}`));
    await inTime(once(client.socket, "open"), () => `${name} is not let in`);
    return client;
  }

  say(text: string): void {
    this.socket.send(text);
  }

  /** Settles when it is so. */
  async until(isSo: (heard: readonly string[]) => boolean): Promise<void> {
    const all = async (): Promise<void> => {
      while (!isSo(this.heard)) await this.#told.promise;
    };
    await inTime(all(), () => `not heard, but ${JSON.stringify(this.heard.slice(-20))}`);
  }

  hear(text: string): Promise<void> {
    return this.until((heard) => heard.includes(text));
  }

  /** Asks until that is the answer: how many connections there are, and who is present. */
  async untilThere(count: number, ...names: readonly string[]): Promise<void> {
    const wanted = `? ${count} ${names.toSorted().join()}`;
    for (;;) {
      const asked = this.heard.length;
      this.say("?");
      await this.until((heard) => heard.slice(asked).some((text) => text.startsWith("?")));
      if (this.heard.slice(asked).includes(wanted)) return;
      // Not as fast as it can: a connection that sends too much is closed.
      await new Promise((resolve) => void setTimeout(resolve, 50));
    }
  }

  /** Without questions and their answers. */
  get chat(): readonly string[] {
    return this.heard.filter((text) => !/^[?!]/.test(text));
  }
}

/** The status and Retry-After of a handshake to a room that nobody is in. */
export async function refusal({ port }: { readonly port: number }): Promise<readonly [number | undefined, string | undefined]> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/new?name=late`);
  socket.on("error", () => {});
  const { promise, resolve } = Promise.withResolvers<readonly [number | undefined, string | undefined]>();
  socket.on("unexpected-response", (_request, response) => {
    resolve([response.statusCode, response.headers["retry-after"]]);
    socket.terminate();
  });
  socket.on("open", () => {
    resolve([101, undefined]);
    socket.terminate();
  });
  return inTime(promise, () => "neither let in nor refused");
}
