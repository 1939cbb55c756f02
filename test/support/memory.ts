/** The in-process runtime as a column, with its own client and no wire. */
import type { Room, Stats } from "edgewire";
import { memoryBackplane } from "edgewire/cluster";
import { memory, type Memory, type MemoryClient, type Refused } from "edgewire/memory";
import { ask } from "./calls.ts";
import type { Address, Client, Event } from "./client.ts";
import type { ConnectOptions } from "./context.ts";
import { createHandlers, handlerNames, type HandlerName } from "./handler.ts";
import type { Host, Refusal, RoomCalls, ServerCalls } from "./host.ts";
import { Log } from "./log.ts";
import { secret, secretName } from "./show.ts";
import type { Peer } from "./peer.ts";
import { callMethod, shownHistory } from "./script.ts";
import { storageOf } from "./stored.ts";
import { pingText } from "../../src/protocol/text-ping.ts";

export class MemoryHost implements Host {
  readonly log: Log = new Log();
  readonly output: string[] = [];
  /** The servers of each handler. */
  readonly #served = new Map<HandlerName, readonly Memory[]>();
  #turn = 0;

  /** @param servers that share a backplane, if there are several: whatever is asked goes to one after the other. */
  constructor(servers = 1) {
    for (const name of handlerNames) {
      const backplane = servers > 1 ? memoryBackplane({ counts: 0 }) : undefined;
      // Each has handlers of its own, as in another process.
      const start = (): Memory => {
        const handler = createHandlers({ report: (line) => void this.log.add(line) })[name];
        return memory(handler, { env: { [secretName]: secret }, ...storageOf(name), ...(backplane === undefined ? {} : { backplane }) });
      };
      this.#served.set(name, Array.from({ length: servers }, start));
    }
  }

  async connect(options: ConnectOptions, target: string): Promise<Peer> {
    if (options.early !== undefined) noWire();
    const client = await this.#connect(options, target);
    await this.#reported();
    if (options.answersClose === false) client.ignoreClose();
    return new MemoryPeer(client);
  }

  async refused(options: ConnectOptions, target: string): Promise<Refusal> {
    const outcome = await this.#connect(options, target).catch((error: Refused) => error);
    if (!("response" in outcome)) throw new Error("the handshake was accepted");
    const { status, headers } = outcome.response;
    return { status, header: (name) => headers.get(name) ?? undefined, body: await outcome.response.text() };
  }

  wire(): Address {
    return noWire();
  }

  room(name: string, on: HandlerName = "main"): RoomCalls {
    // Each call asks the next server.
    const at = async (): Promise<Room> => {
      await this.#reported();
      return this.#at(on).room(name);
    };
    const options = (except: string | undefined): object => (except === undefined ? {} : { except });
    return {
      publish: async (topic, data, except) => (await at()).publish(topic, data, options(except)),
      broadcast: async (data, except) => (await at()).broadcast(data, options(except)),
      count: async () => (await at()).count(),
      presence: async () => (await at()).presence(),
      stats: async () => (await at()).stats(),
      history: async (topic, after) => shownHistory(await (await at()).history(topic, after === undefined ? {} : { after })),
      ask: async (request) => JSON.parse(JSON.stringify(await ask(this.#at(on), { ...request, room: name }))) as unknown,
      call: async (method, ...args) => {
        try {
          return JSON.parse(JSON.stringify(await callMethod(await at(), method, args))) as unknown;
        } catch (error) {
          throw new Error(JSON.stringify({ threw: (error as Error).name, message: (error as Error).message }), { cause: error });
        }
      },
    };
  }

  server(): ServerCalls {
    const { broadcast, roomNames } = this.#at("main");
    return { broadcast: (data, except) => broadcast(data, except === undefined ? {} : { except }), roomNames };
  }

  async stats(on: HandlerName): Promise<Stats> {
    return this.#at(on).stats();
  }

  evict(on: HandlerName): Promise<void> {
    return this.#served.get(on)?.length === 1 ? this.#at(on).hibernate() : Promise.resolve();
  }

  kill(): Promise<void> {
    throw new Error("this process can't be killed");
  }

  assertAlive(): void {}

  async stop(): Promise<void> {
    for (const served of [...this.#served.values()].flat()) await served.close();
  }

  /** What servers count reaches the others: see limit C1. */
  async #reported(): Promise<void> {
    if (this.#served.get("main")?.length === 1) return;
    for (let turns = 0; turns < 3; turns++) await new Promise((resolve) => setImmediate(resolve));
  }

  #connect({ on = "main", headers = [], method }: ConnectOptions, target: string): Promise<MemoryClient> {
    if (method !== undefined || headers.some(([, value]) => value === null)) noWire();
    return this.#at(on).connect(`ws://localhost${target}`, { headers: headers as [string, string][] });
  }

  #at(on: string): Memory {
    const served = this.#served.get(on as HandlerName) ?? noWire();
    return served[this.#turn++ % served.length] as Memory;
  }
}

class MemoryPeer implements Peer {
  number = 0;
  sent = 0;
  paused = false;
  place = "";
  after: () => Promise<void> = async () => {};
  readonly #client: MemoryClient;
  #closed = false;

  constructor(client: MemoryClient) {
    this.#client = client;
  }

  get wire(): Client {
    return noWire();
  }

  get protocol(): string {
    return this.#client.protocol;
  }

  headers(name: string): string[] {
    if (name === "sec-websocket-protocol") return this.protocol === "" ? [] : [this.protocol];
    if (name === "set-cookie") return this.#client.headers.getSetCookie();
    const value = this.#client.headers.get(name);
    return value === null ? [] : [value];
  }

  async send(data: string | Uint8Array): Promise<void> {
    this.#send(data);
  }

  /** In one turn. */
  async sendAll(messages: readonly (string | Uint8Array)[]): Promise<void> {
    for (const data of messages) this.#send(data);
  }

  #send(data: string | Uint8Array): void {
    this.sent++;
    this.#client.send(data as string | Uint8Array<ArrayBuffer>);
  }

  async ping(count = 1): Promise<void> {
    for (let sent = 0; sent < count; sent++) this.#client.send(pingText);
  }

  async close(code?: number, reason?: string): Promise<void> {
    void this.#client.close(code, reason);
  }

  /** The client's `next` rejects once the connection has ended. As on a wire, the close is reported first, then the end. */
  async next(): Promise<Event> {
    const data = await this.#client.next().catch(() => undefined);
    if (typeof data === "string") return { type: "text", data };
    if (data !== undefined) return { type: "binary", data: Buffer.from(data) };
    const { code, reason } = await this.#client.closed;
    if (this.#closed || code === 1006) return { type: "end", how: "fin" };
    this.#closed = true;
    return { type: "close", code, reason };
  }

  async lose(): Promise<void> {
    this.#client.terminate();
  }

  pause(): void {
    this.paused = true;
    this.#client.pause();
  }

  resume(): void {
    this.paused = false;
    this.#client.resume();
  }

  leave(): void {
    // If the client does not read, unread data would delay the close.
    this.#client.resume();
    // As a client on a wire: one with delivery is not expected back after it.
    void this.#client.close(1000);
  }
}

function noWire(): never {
  throw new Error("memory has no wire");
}
