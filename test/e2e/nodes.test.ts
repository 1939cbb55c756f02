/** `npm start -- node --nodes 2`: one room on two processes. One is killed in the middle of a conversation, and nothing is lost. */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { WebSocket } from "ws";
import { DeliverySocket } from "edgewire/delivery/client";
import { messageClient } from "edgewire/messages";
import { messages } from "../../examples/chat/messages.ts";
import { executablePath, launch } from "../support/chromium.ts";
import { away, Person } from "./person.ts";
import { freePort, root, runtimes } from "./server.ts";

/** The nodes as `npm start` says that they run: their names and process ids, the newest of each. */
class Cluster {
  readonly url: string;
  readonly pids = new Map<string, number>();
  readonly #child: ChildProcess;
  readonly #printed: string[] = [];
  readonly #listeners = new Set<() => void>();

  private constructor(runtime: string, port: number) {
    this.url = `http://localhost:${port}`;
    const env = { ...process.env, PORT: String(port), REDIS_SERVER: inject("redis") };
    const args = [`${root}/examples/start.ts`, "chat", runtime, "--nodes", "2"];
    this.#child = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "pipe", "inherit"] });
    createInterface(this.#child.stdout!).on("line", (line) => {
      this.#printed.push(line);
      const [, name, pid] = /^(node \d+): listens on port \d+, process (\d+)$/.exec(line) ?? [];
      if (name !== undefined) this.pids.set(name, Number(pid));
      for (const listener of this.#listeners) listener();
    });
  }

  static async start(runtime: string): Promise<Cluster> {
    const cluster = new Cluster(runtime, await freePort());
    await Promise.race([
      cluster.until(() => cluster.#printed.includes(`Chat is at ${cluster.url}`)),
      once(cluster.#child, "exit").then(() => Promise.reject(new Error(`npm start ended:\n${cluster.#printed.join("\n")}`))),
    ]);
    return cluster;
  }

  /** Looks with each line that is printed. */
  async until(isSo: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => void (isSo() && resolve());
    this.#listeners.add(look);
    look();
    await promise.finally(() => this.#listeners.delete(look));
  }

  /** Resolves when it runs again, as another process. */
  async kill(name: string): Promise<void> {
    const pid = this.pids.get(name);
    if (pid === undefined) throw new Error(`${name} does not run`);
    process.kill(pid, "SIGKILL");
    await this.until(() => this.pids.get(name) !== pid);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await exited;
  }
}

/** A client that is no page, and writes down what everyone says. The name is its key as well: who comes back is the same person. */
function script(url: string, name: string): { readonly heard: string[]; say(text: string): Promise<unknown>; close(): void } {
  const address = `${url.replace("http", "ws")}/ws/nodes?name=${name}&key=${name}`;
  const socket = new DeliverySocket(address, messages.protocols, { WebSocket });
  const client = messageClient(messages, socket);
  const heard: string[] = [];
  client.on("said", ({ text }) => void heard.push(text));
  return { heard, say: (text) => client.request("say", { text }), close: () => socket.close(1000) };
}

const nodeOf = (person: Person): ReturnType<Person["page"]["locator"]> => person.page.getByRole("banner").getByText(/^node \d$/);

describe.skipIf(executablePath === "" || inject("redis") === "").each(runtimes(["node"], ["bun", "deno"]))("two nodes of %s", (runtime) => {
  let cluster: Cluster;
  let browser: Browser;
  beforeAll(async () => {
    [cluster, browser] = await Promise.all([Cluster.start(runtime), launch()]);
  });
  afterAll(async () => {
    await (browser as Browser | undefined)?.close();
    await (cluster as Cluster | undefined)?.stop();
  });

  test("one is killed: who was there goes on at the other, and has every message once, in one order", async () => {
    const ada = await Person.join(browser, "Ada", `${cluster.url}/?room=nodes`);
    ada.expects(away);
    const first = await nodeOf(ada).textContent();
    const scripted = script(cluster.url, "Script");
    const others = [script(cluster.url, "Grace"), script(cluster.url, "Alan")];
    await scripted.say("1");
    await ada.sees("Script", "1");
    await ada.says("from the page");
    await ada.sees("You", "from the page", "Sent");

    let killed: Promise<void> | undefined;
    const said: Promise<unknown>[] = [];
    for (let number = 2; number <= 60; number++) {
      said.push(scripted.say(String(number)));
      if (number % 10 === 0) await said.at(-5);
      if (number === 30) {
        killed = cluster.kill(first ?? "");
        await ada.says("while it dies");
      }
    }
    await Promise.all(said);
    await ada.sees("You", "while it dies", "Sent");
    await ada.sees("Script", "60");
    await nodeOf(ada).waitFor();
    expect(await nodeOf(ada).textContent()).not.toBe(first);
    await ada.seesOnline("Ada", "Alan", "Grace", "Script");

    const texts = await ada.texts();
    const wanted = Array.from({ length: 60 }, (_, index) => String(index + 1));
    expect(texts.filter((text) => /^\d+$/.test(text))).toEqual(wanted);
    expect(texts.toSorted()).toEqual([...wanted, "from the page", "while it dies"].toSorted());
    for (const { heard } of [scripted, ...others]) await expect.poll(() => heard).toEqual(texts);

    // It is back, and new clients find it.
    await killed;
    for (const client of [scripted, ...others]) client.close();
    await ada.leave();
  });
});

function start(args: readonly string[], more: Readonly<Record<string, string>> = {}): readonly [status: number | null, said: string] {
  const { REDIS_URL: _, ...env } = process.env;
  const { status, stderr } = spawnSync(process.execPath, [`${root}/examples/start.ts`, ...args], {
    cwd: root,
    env: { ...env, ...more },
    encoding: "utf8",
  });
  return [status, stderr.trim()];
}

test("says how many nodes there may be, and of what", () => {
  expect(start(["chat", "node", "--nodes", "1"])).toEqual([1, "npm start -- node --nodes 1: --nodes takes a number from 2 to 16."]);
  expect(start(["chat", "workerd", "--nodes", "2"])).toEqual([
    1,
    "npm start -- workerd --nodes 2: on Cloudflare each room is an object. Several nodes are processes of node, bun or deno.",
  ]);
  expect(start(["cursors", "node", "--nodes", "2"])).toEqual([
    1,
    "npm run cursors -- node --nodes 2: the chat alone runs on several nodes.",
  ]);
});

test("says how Redis is installed", () => {
  const [status, said] = start(["chat", "node", "--nodes", "2"], { REDIS_SERVER: "/nowhere/redis-server" });
  expect(status).toBe(1);
  expect(said).toContain("apt-get install redis-server");
});
