/** A server, clients of it on the other end of a cable that can be cut, and clients on this one. */
import { deepEqual, equal } from "node:assert/strict";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { handshake, type Client } from "../support/client.ts";
import type { HandlerName } from "../support/handler.ts";
import type { Entry } from "../support/log.ts";
import { Running, type ProcessRuntime } from "../support/runtimes.ts";
import { pongText } from "../../src/protocol/text-ping.ts";
import type { Away } from "./away.ts";
import type { Network } from "./network.ts";

/** A deadline, not a measure: the handler `lively` says 1.5 s, and 3 s on an object; TCP alone would take a quarter of an hour. */
const patience = 30_000;

/** The places of the clients on the other end. `mute` has no heartbeat: it shows that the cut alone tells a server nothing. */
export const [pinger, listener, unwatched]: readonly [number, number, number] = [0, 1, 2];

export class Scene {
  readonly away: Party;
  readonly #running: Running;
  readonly #network: Network;
  #neighbours: Client[] = [];

  static async start(runtime: ProcessRuntime, over: Network): Promise<Scene> {
    const running = await Running.start(runtime, { hostname: over.address });
    const client = (place: number, on: HandlerName, pings: boolean): Away["clients"][number] => {
      return { port: running.address(on)!.port, target: target(place), pings };
    };
    const clients = [client(pinger, "lively", true), client(listener, "lively", false), client(unwatched, "mute", true)];
    const scene = new Scene(running, over, new Party(over, { host: over.address, clients }));
    await scene.away.ready;
    await scene.away.sees(pinger, { type: "text", data: pongText });
    for (const place of clients.keys()) await scene.#opened(place);
    return scene;
  }

  private constructor(running: Running, network: Network, away: Party) {
    this.#running = running;
    this.#network = network;
    this.away = away;
  }

  /** What the handlers reported, but for the messages of the clients on this side. */
  get entries(): Entry[] {
    return this.#running.log.entries.filter(
      ({ tag, hook, done, did }) => tag === "cut" && hook !== "message" && !did && done !== "message",
    );
  }

  /** A client on this side of the cable, in the same room. */
  async neighbour(): Promise<Client> {
    const { port } = this.#running.address("lively")!;
    const place = 10 + this.#neighbours.length;
    const client = await handshake({ host: this.#network.address, port }, { target: target(place) }, patience);
    this.#neighbours.push(client);
    equal(client.accepted, true);
    client.send("hello");
    await hears(client, "hello");
    await this.#opened(place);
    return client;
  }

  /** The log is a pipe: what a client hears may be here before what was reported earlier. */
  async #opened(place: number): Promise<void> {
    const opened = (): Entry | undefined => this.entries.find(({ done, peer }) => done === "open" && peer === place);
    await this.#running.log.until(`the open hook of ${place}`, opened, patience);
  }

  async closing(place: number): Promise<object> {
    const find = (): Entry | undefined => this.entries.find(({ hook, peer }) => hook === "close" && peer === place);
    const { code, reason, initiator } = await this.#running.log.until(`the close of ${place}`, find, patience);
    const done = (): Entry | undefined => this.entries.find((entry) => entry.done === "close" && entry.peer === place);
    await this.#running.log.until(`the end of the close hook of ${place}`, done, patience);
    return { code, reason, initiator };
  }

  evict(): Promise<boolean> {
    return this.#running.evict("lively", "cut");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#network.mend();
    for (const client of this.#neighbours) client.destroy();
    await this.away.end();
    await this.#running.stop();
  }
}

/** The process of test/cut/away.ts. */
class Party {
  readonly ready: Promise<void>;
  readonly #child: ReturnType<Network["run"]>;
  #lines: string[] = [];
  #wake = new Set<() => void>();

  constructor(over: Network, away: Away) {
    this.#child = over.run(process.execPath, [new URL("away.ts", import.meta.url).pathname, JSON.stringify(away)]);
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      this.#lines.push(line);
      for (const wake of this.#wake) wake();
    });
    this.#child.stderr.pipe(process.stderr);
    this.ready = this.#line("READY");
  }

  say(place: number, text: string): void {
    this.#child.stdin.write(`${place} ${text}\n`);
  }

  sees(place: number, event: object): Promise<void> {
    return this.#line(`${place} ${JSON.stringify(event)}`);
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.kill();
    await exit;
  }

  async #line(line: string): Promise<void> {
    const deadline = Date.now() + patience;
    while (!this.#lines.includes(line)) {
      if (Date.now() > deadline) throw new Error(`the clients that were cut off never said ${line}, only\n${this.#lines.join("\n")}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000);
        this.#wake.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
      this.#wake.clear();
    }
  }
}

/** Goes on all the time: each message gets its own answer, in order. */
export class Talk {
  #stopped = false;
  readonly #done: Promise<void>;

  constructor(client: Client) {
    this.#done = this.#run(client);
    // Told by `stop`.
    this.#done.catch(() => {});
  }

  stop(): Promise<void> {
    this.#stopped = true;
    return this.#done;
  }

  async #run(client: Client): Promise<void> {
    for (let count = 0; !this.#stopped; count++) {
      client.send(`message ${count}`);
      await hears(client, `message ${count}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** The next thing but for pings, which the client answers, and what answers its own. */
export async function hears(client: Client, data: string): Promise<void> {
  let event = await client.next(patience);
  while (event.type === "ping" || (event.type === "text" && event.data === pongText)) event = await client.next(patience);
  deepEqual(event, { type: "text", data });
}

function target(peer: number): string {
  return `/?${new URLSearchParams({ tag: "cut", peer: String(peer), room: "cut" })}`;
}
