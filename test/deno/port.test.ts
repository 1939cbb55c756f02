/** Deno's listener ends when it can't accept: the port is listened on again. */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { denoBinary, denoFlags } from "../runtimes.ts";

class Served {
  readonly out: string[] = [];
  readonly errors: string[] = [];
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  port = 0;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  #changed = Promise.withResolvers<void>();

  /** With so few descriptors that a test can take them all. */
  static async start(options: object = {}): Promise<Served> {
    const served = new Served(options);
    await served.until(() => served.port > 0);
    return served;
  }

  private constructor(options: object) {
    const command = [denoBinary(), ...denoFlags, `${import.meta.dirname}/serve.ts`, JSON.stringify(options)];
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
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) throw new Error(`Deno has ended:\n${this.errors.join("\n")}`);
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

async function connect(port: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  await once(socket, "open");
  return socket;
}

async function echoes(socket: WebSocket, text: string): Promise<void> {
  socket.send(text);
  const [data] = (await once(socket, "message")) as [Buffer];
  expect(data.toString()).toBe(text);
}

/** A client comes again until it is served. */
async function serves({ port }: Served): Promise<void> {
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

test.each([{}, { signals: false }])(
  "out of descriptors it says so, keeps what is open, and accepts again when it can: %o",
  async (options) => {
    await using served = await Served.start(options);
    const open = await connect(served.port);
    for (let round = 0; round < 2; round++) {
      await served.exhaust();
      await echoes(open, "still here");
      await served.do("free");
      await serves(served);
    }
    await echoes(open, "and now");
    expect(served.told).toEqual([expect.stringMatching(`port ${served.port} are no longer accepted.*Too many open files`)]);
  },
);

test("out of descriptors half a second after its start, when Deno wants two for its signals, it goes on", async () => {
  await using served = await Served.start({ signals: false });
  await served.do("hog");
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await served.do("free");
  await serves(served);
});

test("it is closed while it can't accept", async () => {
  await using served = await Served.start();
  const open = await connect(served.port);
  const closed = once(open, "close");
  await served.exhaust(() => served.do("close"));
  expect((await closed)[0]).toBe(1001);
  served.leave();
  expect(await served.ended).toEqual({ code: 0, signal: null });
});

test("a port that somebody else has taken meanwhile is told of, and taken back once it is free", async () => {
  await using served = await Served.start();
  const other = createServer((socket) => socket.destroy());
  const take = (): Promise<string> => {
    const { promise, resolve } = Promise.withResolvers<string>();
    other.once("error", ({ message }) => resolve(message)).listen(served.port, "127.0.0.1", () => resolve("taken"));
    return promise;
  };
  await served.exhaust(async () => {
    await expect.poll(take, { timeout: 20_000, interval: 5 }).toBe("taken");
  });
  await served.do("free");
  await served.until(() => served.told.some((line) => line.includes(`port ${served.port} can't be listened on again yet`)));
  other.close();
  await serves(served);
});

test("an application's own upgrade that is answered with something else ends Deno's listener, not the server", async () => {
  await using served = await Served.start();
  const open = await connect(served.port);
  const socket = new WebSocket(`ws://127.0.0.1:${served.port}/upgrade`);
  socket.on("error", () => {});
  await served.until(() => served.told.length > 0);
  await serves(served);
  await echoes(open, "still here");
  expect(served.told).toEqual([expect.stringContaining("the native server has ended")]);
});
