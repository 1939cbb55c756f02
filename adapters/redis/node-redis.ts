/** node-redis, the package `redis`: one Redis, or a cluster. It subscribes again by itself; what it missed meanwhile is `cut`. */
import { buffers, bytesOf } from "./buffer.ts";
import type { Argument } from "./codec.ts";
import type { Commands, Connections, Heard, Subscriptions } from "./connection.ts";

type Listener = (message: Uint8Array, channel: Uint8Array | string) => void;

/** The part of node-redis that is used. */
export interface NodeRedisClient {
  readonly isOpen: boolean;
  /** Absent in a cluster. */
  readonly isReady?: boolean;
  sendCommand: unknown;
  subscribe(channels: string[], listener: Listener, isBuffer: true): Promise<void>;
  unsubscribe(channels: string[], listener: Listener, isBuffer: true): Promise<void>;
  sSubscribe(channels: string[], listener: Listener, isBuffer: true): Promise<void>;
  sUnsubscribe(channels: string[], listener: Listener, isBuffer: true): Promise<void>;
  on(event: string, listener: (...args: never[]) => void): unknown;
  off(event: string, listener: (...args: never[]) => void): unknown;
  duplicate(): NodeRedisClient;
  connect(): Promise<unknown>;
  destroy(): void;
}

interface Options {
  readonly typeMapping: Readonly<Record<number, unknown>>;
}

type SendAlone = (args: readonly Argument[], options?: Options) => Promise<unknown>;
type SendInCluster = (key: string | undefined, isReadOnly: boolean, args: readonly Argument[], options?: Options) => Promise<unknown>;

export function isNodeRedis(client: unknown): client is NodeRedisClient {
  const { sendCommand, sSubscribe, isOpen } = client as Partial<NodeRedisClient>;
  return typeof sendCommand === "function" && typeof sSubscribe === "function" && typeof isOpen === "boolean";
}

export function isNodeRedisCluster(client: NodeRedisClient): boolean {
  return "nodeClient" in client;
}

export function isNodeRedisSentinel(client: NodeRedisClient): boolean {
  return "getSentinelNode" in client;
}

/** @param isOwn the adapter has created the subscriber: it connects and ends it. */
export function overNodeRedis(
  client: NodeRedisClient,
  subscriber: NodeRedisClient,
  heard: Heard,
  isSharded: boolean,
  isOwn: boolean,
): Connections {
  const own = isOwn ? new OwnClient(subscriber) : undefined;
  const subscriptions = new NodeRedisSubscriptions(subscriber, heard, isSharded, own);
  return {
    commands: new NodeRedisCommands(client),
    subscriptions,
    async close() {
      subscriptions.end();
      own?.end();
    },
  };
}

/** Milliseconds before another attempt to connect. */
const pause = 500;

/** A client that the adapter connects. Once it is connected, it connects again by itself. */
class OwnClient {
  readonly #client: NodeRedisClient;
  readonly #connected: Promise<void>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;
  isConnected = false;

  constructor(client: NodeRedisClient) {
    this.#client = client;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#connected = promise;
    // Without a listener an error ends the process. What fails is told by what is asked of it.
    client.on("error", () => {});
    this.#connect(resolve);
  }

  /** Resolves once it was connected. */
  get connected(): Promise<void> {
    return this.#connected;
  }

  #connect(connected: () => void): void {
    this.#client.connect().then(
      () => {
        this.isConnected = true;
        connected();
      },
      () => {
        if (!this.#isOver) this.#timer = setTimeout(() => this.#connect(connected), pause);
      },
    );
  }

  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    if (this.#client.isOpen) this.#client.destroy();
  }
}

function hindranceOf({ isOpen, isReady = isOpen }: NodeRedisClient): string | undefined {
  return isReady ? undefined : "the client of node-redis is not connected";
}

/** The type of bulk replies in RESP. */
const bulk = 36;

class NodeRedisCommands implements Commands {
  readonly #client: NodeRedisClient;
  readonly #isCluster: boolean;

  constructor(client: NodeRedisClient) {
    this.#client = client;
    this.#isCluster = isNodeRedisCluster(client);
  }

  get hindrance(): string | undefined {
    return hindranceOf(this.#client);
  }

  async run(key: string, command: readonly Argument[]): Promise<Uint8Array> {
    return (await this.#send(key, command, { typeMapping: { [bulk]: buffers() } })) as Uint8Array;
  }

  async wait(key: string, replicas: number, timeout: number): Promise<number> {
    return Number(await this.#send(key, ["WAIT", String(replicas), String(timeout)]));
  }

  async info(section: string): Promise<string> {
    return String(await this.#send(undefined, ["INFO", section]));
  }

  #send(key: string | undefined, command: readonly Argument[], options?: Options): Promise<unknown> {
    const client = this.#client as { sendCommand: SendAlone & SendInCluster };
    return this.#isCluster ? client.sendCommand(key, false, command, options) : client.sendCommand(command, options);
  }
}

/** Events after which something may have been missed. Those of nodes are a cluster's. */
const cuts = ["ready", "node-ready", "node-disconnect", "sharded-channel-moved"];

class NodeRedisSubscriptions implements Subscriptions {
  readonly #client: NodeRedisClient;
  readonly #isSharded: boolean;
  readonly #own: OwnClient | undefined;
  readonly #message: Listener;
  readonly #cut: () => void;

  constructor(client: NodeRedisClient, heard: Heard, isSharded: boolean, own: OwnClient | undefined) {
    this.#client = client;
    this.#own = own;
    this.#isSharded = isSharded;
    this.#message = (bytes, channel) => heard.message(typeof channel === "string" ? channel : bytesOf(channel).toString("utf8"), bytes);
    this.#cut = () => heard.cut();
    for (const event of cuts) client.on(event, this.#cut);
  }

  get hindrance(): string | undefined {
    return this.#own?.isConnected === false ? undefined : hindranceOf(this.#client);
  }

  async subscribe(channels: readonly string[]): Promise<void> {
    await this.#own?.connected;
    // A client that is ready has subscribed again to what it had: it takes the same listener once.
    if (this.#isSharded) await this.#client.sSubscribe([...channels], this.#message, true);
    else await this.#client.subscribe([...channels], this.#message, true);
  }

  async unsubscribe(channels: readonly string[]): Promise<void> {
    if (this.#isSharded) await this.#client.sUnsubscribe([...channels], this.#message, true);
    else await this.#client.unsubscribe([...channels], this.#message, true);
  }

  end(): void {
    for (const event of cuts) this.#client.off(event, this.#cut);
  }
}
