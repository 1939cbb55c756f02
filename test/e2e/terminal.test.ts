/** `npm run chat`: people chat in terminals, over their standard input and output. */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { ExampleServer, root } from "./server.ts";

class Terminal {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #printed: string[] = [];
  readonly exited: Promise<unknown[]>;

  constructor(...args: readonly string[]) {
    // Its whole group: a signal to npm would not reach the chat.
    this.#child = spawn("npm", ["run", "--silent", "chat", "--", ...args], { cwd: root, stdio: "pipe", detached: true });
    for (const stream of [this.#child.stdout, this.#child.stderr]) createInterface(stream).on("line", (line) => this.#printed.push(line));
    this.exited = once(this.#child, "exit");
  }

  types(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** What was said has its time before it. */
  async sees(line: string): Promise<void> {
    await vi.waitUntil(() => this.#lines().includes(line), { timeout: 30_000 });
  }

  #lines(): readonly string[] {
    return this.#printed.map((line) => line.replace(/^\d\d:\d\d (?:[AP]M )?/, ""));
  }

  /** How many such lines it has printed. */
  count(line: string): number {
    return this.#lines().filter((printed) => printed === line).length;
  }

  /** Ctrl+D. */
  async leaves(): Promise<unknown> {
    this.#child.stdin.end();
    return (await this.exited)[0];
  }

  kill(): void {
    if (this.#child.exitCode === null && this.#child.pid !== undefined) process.kill(-this.#child.pid, "SIGKILL");
  }
}

describe("the chat in a terminal", () => {
  let server: ExampleServer;
  const open: Terminal[] = [];
  const join = (room: string, name: string): Terminal => {
    const terminal = new Terminal("--room", room, "--name", name, "--url", server.url.replace("http", "ws"));
    open.push(terminal);
    return terminal;
  };
  beforeAll(async () => {
    server = await ExampleServer.start("chat", "node");
  });
  afterEach(() => {
    for (const terminal of open.splice(0)) terminal.kill();
  });
  afterAll(() => server.end());

  test("two talk, hear an announcement, and leave", async () => {
    const ada = join("lobby", "Ada");
    await ada.sees("You are in lobby with 0 others. A line is a message; Ctrl+D leaves.");
    const grace = join("lobby", "Grace");
    await grace.sees("You are in lobby with 1 others. A line is a message; Ctrl+D leaves.");
    await ada.sees("Grace joined");
    ada.types("Hello Grace");
    await grace.sees("Ada: Hello Grace");
    grace.types("\u001b[31mHello\u001b[0m Ada\u0007");
    await ada.sees("Grace: Hello Ada");
    await fetch(`${server.url}/announce/lobby`, { method: "POST", body: "Back in five minutes" });
    await Promise.all([ada.sees("* Back in five minutes"), grace.sees("* Back in five minutes")]);
    ada.types("x".repeat(2001));
    await ada.sees(`Not sent: ${"x".repeat(2001)}: The message is too long: 2000 characters is the most.`);
    // What was typed last is answered before it leaves.
    grace.types("Bye");
    expect(await grace.leaves()).toBe(0);
    await ada.sees("Grace: Bye");
    await ada.sees("Grace left");
    expect(await ada.leaves()).toBe(0);
  });

  test("the server restarts", async () => {
    const ada = join("restart", "Ada");
    await ada.sees("You are in restart with 0 others. A line is a message; Ctrl+D leaves.");
    await server.stop();
    await ada.sees("The connection was lost. Trying again.");
    ada.types("Said without a server");
    await ada.sees("(Waits to be sent) Said without a server");
    await server.start();
    const grace = join("restart", "Grace");
    await grace.sees("Ada: Said without a server");
    await ada.sees("Ada: Said without a server");
    await ada.sees("Grace joined");
    // Ada was in the room all the time.
    await grace.sees("You are in restart with 1 others. A line is a message; Ctrl+D leaves.");
    ada.types("Still here");
    await grace.sees("Ada: Still here");
    expect([grace.count("Ada joined"), ada.count("Ada: Said without a server")]).toEqual([0, 1]);
  });

  test("the server is killed, and what was said is there", async () => {
    const ada = join("kill", "Ada");
    await ada.sees("You are in kill with 0 others. A line is a message; Ctrl+D leaves.");
    ada.types("Remember this");
    ada.types("x".repeat(2001));
    // The answer to the message before it has come too.
    await ada.sees(`Not sent: ${"x".repeat(2001)}: The message is too long: 2000 characters is the most.`);
    await server.kill();
    await server.start();
    const grace = join("kill", "Grace");
    await grace.sees("Ada: Remember this");
    await Promise.any([ada.sees("Grace joined"), grace.sees("Ada joined")]);
    grace.types("I do");
    await ada.sees("Grace: I do");
    // Ada has it already, and so it does not come again.
    expect(ada.count("Ada: Remember this")).toBe(1);
    expect(grace.count("Ada: Remember this")).toBe(1);
  });
});

test.each([
  [[], "Choose a room."],
  [["--room", "x".repeat(60)], "This room is too long: 60 characters, and 48 is the most."],
  [["--room", "lobby", "--url", "nowhere"], "Invalid URL"],
  [["--rooms", "lobby"], "Unknown option '--rooms'"],
])("%j is told what to write", (args, message) => {
  const { status, stderr } = spawnSync(process.execPath, ["examples/chat/terminal.ts", ...args], { cwd: root, encoding: "utf8" });
  expect(status).toBe(1);
  expect(stderr).toContain(message);
  expect(stderr).toContain("Usage: npm run chat -- --room lobby [--url ws://localhost:8787] [--name Ada]");
});
