/** The host of a column's cases: a server process, or the in-process runtime. */
import type { RoomNamesRange, RoomStats, Stats } from "edgewire";
import type { Member } from "edgewire";
import { handshake, type Address, type Client } from "./client.ts";
import type { Ask } from "./calls.ts";
import { runtimeOf, type Column } from "./case.ts";
import type { ConnectOptions } from "./context.ts";
import type { HandlerName } from "./handler.ts";
import type { Log } from "./log.ts";
import type { ShownHistory } from "./script.ts";
import { MemoryHost } from "./memory.ts";
import { WirePeer, type Peer } from "./peer.ts";
import { Running, type Listener } from "./runtimes.ts";
import type { RoomMethod } from "./script.ts";

/** A room, called from outside all hooks. */
export interface RoomCalls {
  publish(topic: string, data: string, except?: string): Promise<number>;
  broadcast(data: string, except?: string): Promise<number>;
  count(): Promise<number>;
  presence(): Promise<readonly Member[]>;
  stats(): Promise<RoomStats>;
  history(topic: string, after?: string): Promise<ShownHistory>;
  /** Asks the room for a call of its handler's. */
  ask(request: Omit<Ask, "room">): Promise<unknown>;
  /** Calls any method, with arguments as in a script. Rejects with the thrown error as JSON in the message. */
  call(method: RoomMethod, ...args: readonly unknown[]): Promise<unknown>;
}

/** All rooms of a server. */
export interface ServerCalls {
  broadcast(data: string, except?: string): Promise<number>;
  roomNames(range?: RoomNamesRange): Promise<readonly string[]>;
}

/** The answer to a refused handshake. */
export interface Refusal {
  readonly status: number;
  readonly body: string;
  header(name: string): string | undefined;
}

export interface Host {
  readonly log: Log;
  /** The lines that the process printed besides its log. */
  readonly output: readonly string[];
  connect(options: ConnectOptions, target: string, wait: number): Promise<Peer>;
  /** Sends a handshake that must be refused. */
  refused(options: ConnectOptions, target: string, wait: number): Promise<Refusal>;
  /** The address for raw sockets. Throws if there is none. */
  wire(on: Listener): Address;
  room(name: string, on?: HandlerName): RoomCalls;
  /** The rooms of the handler `main` together. */
  server(): ServerCalls;
  stats(on: HandlerName): Promise<Stats>;
  evict(on: HandlerName, room: string): Promise<void>;
  /** Kills the server and starts it again on the file that keeps its rooms. */
  kill(): Promise<void>;
  assertAlive(): void;
  stop(): Promise<void>;
}

export async function startHost(column: Column, date?: string): Promise<Host> {
  const { runtime, inFile } = runtimeOf(column);
  if (runtime === "memory") return new MemoryHost(column === "memory+cluster" ? 2 : 1);
  return new ProcessHost(await Running.start(runtime === "evicted" ? "durable" : runtime, { date, inFile }));
}

class ProcessHost implements Host {
  readonly #running: Running;

  constructor(running: Running) {
    this.#running = running;
  }

  get log(): Log {
    return this.#running.log;
  }

  get output(): readonly string[] {
    return this.#running.output;
  }

  async connect(options: ConnectOptions, target: string, wait: number): Promise<Peer> {
    const client = await this.#handshake(options, target, wait);
    client.answersClose = options.answersClose ?? true;
    client.answersPing = options.answersPing ?? true;
    if (client.response.status !== 101) throw new Error(`the handshake got ${client.response.status}: ${await client.body()}`);
    return new WirePeer(client);
  }

  async refused(options: ConnectOptions, target: string, wait: number): Promise<Refusal> {
    const client = await this.#handshake(options, target, wait);
    const { response } = client;
    if (response.status === 101) throw new Error("the handshake was accepted");
    const refusal = { status: response.status, header: (name: string) => response.header(name), body: await client.body() };
    client.destroy();
    return refusal;
  }

  wire(on: Listener): Address {
    const address = this.#running.address(on);
    if (address === undefined) throw new Error(`there is no listener "${on}" on ${this.#running.runtime}`);
    return address;
  }

  room(name: string, on: HandlerName = "main"): RoomCalls {
    return {
      publish: (topic, data, except) => this.#call(on, name, "publish", { topic, data, except }),
      broadcast: (data, except) => this.#call(on, name, "broadcast", { data, except }),
      count: () => this.#call(on, name, "count", {}),
      presence: () => this.#call(on, name, "presence", {}),
      stats: () => this.#call(on, name, "stats", {}),
      history: (topic, after) => this.#call(on, name, "history", { topic, after }),
      ask: (request) => this.#call(on, name, "ask", { ask: JSON.stringify({ ...request, room: name }) }),
      call: (...call) => this.#call(on, name, "call", { call: JSON.stringify(call) }),
    };
  }

  server(): ServerCalls {
    return {
      broadcast: (data, except) => this.#get("server/broadcast", { data, except }),
      roomNames: (range) => this.#get("server/roomNames", { range: JSON.stringify(range ?? {}) }),
    };
  }

  stats(on: HandlerName): Promise<Stats> {
    return this.#get("server/stats", {}, on);
  }

  async evict(on: HandlerName, room: string): Promise<void> {
    if (this.#running.runtime === "durable") await this.#running.evict(on, room);
  }

  kill(): Promise<void> {
    return this.#running.restart();
  }

  assertAlive(): void {
    this.#running.assertAlive();
  }

  stop(): Promise<void> {
    return this.#running.stop();
  }

  #handshake({ on = "main", method, version, headers, early }: ConnectOptions, target: string, wait: number): Promise<Client> {
    return handshake(this.wire(on), { target, ...defined({ method, version, headers, early }) }, wait);
  }

  #call<T>(on: HandlerName, room: string, method: string, parameters: Record<string, string | undefined>): Promise<T> {
    return this.#get(`rooms/${encodeURIComponent(room)}/${method}`, parameters, on);
  }

  async #get<T>(path: string, parameters: Record<string, string | undefined>, on: HandlerName = "main"): Promise<T> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, value);
    const target = `/${path}?${query}`;
    const client: Client = await handshake(this.wire(on), { target, headers: plainHttp });
    const body = await client.body();
    client.destroy();
    if (client.response.status !== 200) throw new Error(`${path} from outside got ${client.response.status}: ${body}`);
    return JSON.parse(body) as T;
  }
}

/** Removes the WebSocket headers from a request. */
const plainHttp = [
  ["Upgrade", null],
  ["Connection", "close"],
  ["Sec-WebSocket-Key", null],
  ["Sec-WebSocket-Version", null],
] as const;

/** Removes undefined members. */
function defined<T extends object>(object: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
