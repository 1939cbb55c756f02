/** ioredis: one Redis, a sentinel's, or a cluster. It subscribes again by itself; what it missed meanwhile is `cut`. */
import type { Argument } from "./codec.ts";
import type { Commands, Connections, Heard, Subscriptions } from "./connection.ts";

/** The part of ioredis that is used: its `Redis` and its `Cluster`. */
export interface IoredisClient {
  readonly status: string;
  readonly isCluster: boolean;
  callBuffer(command: string, args: readonly Argument[]): Promise<unknown>;
  evalshaBuffer(args: readonly Argument[]): Promise<unknown>;
  evalBuffer(args: readonly Argument[]): Promise<unknown>;
  publishBuffer(args: readonly Argument[]): Promise<unknown>;
  spublishBuffer(args: readonly Argument[]): Promise<unknown>;
  pipeline(): IoredisPipeline;
  info(section: string): Promise<string>;
  subscribe(...channels: string[]): Promise<unknown>;
  unsubscribe(...channels: string[]): Promise<unknown>;
  ssubscribe(...channels: string[]): Promise<unknown>;
  sunsubscribe(...channels: string[]): Promise<unknown>;
  on(event: string, listener: (...args: never[]) => void): unknown;
  off(event: string, listener: (...args: never[]) => void): unknown;
  duplicate(): IoredisClient;
  disconnect(): void;
}

interface IoredisPipeline {
  exists(key: string): IoredisPipeline;
  call(command: string, ...args: (string | number)[]): IoredisPipeline;
  exec(): Promise<(readonly [error: Error | null, reply: unknown])[] | null>;
}

export function isIoredis(client: unknown): client is IoredisClient {
  const { callBuffer, status, ssubscribe } = client as Partial<IoredisClient>;
  return typeof callBuffer === "function" && typeof status === "string" && typeof ssubscribe === "function";
}

/** @param own that the adapter has created, and ends. */
export function overIoredis(
  client: IoredisClient,
  subscriber: IoredisClient,
  heard: Heard,
  isSharded: boolean,
  own: readonly IoredisClient[],
): Connections {
  const subscriptions = new IoredisSubscriptions(subscriber, heard, isSharded);
  // Otherwise ioredis prints each attempt to connect. What fails is told by what is asked of it.
  for (const one of own) one.on("error", () => {});
  return {
    commands: new IoredisCommands(client),
    subscriptions,
    async close() {
      subscriptions.end();
      for (const one of own) one.disconnect();
    },
  };
}

/** Between attempts, and after the last. A connection that is being made takes commands, and `"wait"` begins one with the first. */
const away = ["close", "reconnecting", "disconnecting", "end"];

function hindranceOf({ status }: IoredisClient): string | undefined {
  return away.includes(status) ? `ioredis has no connection: its status is "${status}"` : undefined;
}

class IoredisCommands implements Commands {
  readonly #client: IoredisClient;

  constructor(client: IoredisClient) {
    this.#client = client;
  }

  get hindrance(): string | undefined {
    return hindranceOf(this.#client);
  }

  async run(_key: string, [command, ...args]: readonly Argument[]): Promise<Uint8Array> {
    return (await this.#answer(String(command), args)) as Uint8Array;
  }

  /** By the commands' own methods: with its option `enableAutoPipelining`, ioredis loses the name of one that `callBuffer` gets. */
  #answer(command: string, args: readonly Argument[]): Promise<unknown> {
    switch (command) {
      case "EVALSHA":
        return this.#client.evalshaBuffer(args);
      case "EVAL":
        return this.#client.evalBuffer(args);
      case "PUBLISH":
        return this.#client.publishBuffer(args);
      case "SPUBLISH":
        return this.#client.spublishBuffer(args);
      default:
        return this.#client.callBuffer(command, args);
    }
  }

  /** The key's own command takes the pipeline to its node of a cluster, whose connection is the one that wrote. */
  async wait(key: string, replicas: number, timeout: number): Promise<number> {
    const replies = await this.#client.pipeline().exists(key).call("WAIT", replicas, timeout).exec();
    const [error, reply] = replies?.[1] ?? [];
    if (error) throw error;
    return Number(reply);
  }

  info(section: string): Promise<string> {
    return this.#client.info(section);
  }
}

/** Events after which something may have been missed. Those with a plus are a cluster's. */
const cuts = ["ready", "+subscriber", "-subscriber", "subscribersReady"];

class IoredisSubscriptions implements Subscriptions {
  readonly #client: IoredisClient;
  readonly #listeners: readonly (readonly [event: string, listener: (...args: never[]) => void])[];
  readonly #isSharded: boolean;

  constructor(client: IoredisClient, heard: Heard, isSharded: boolean) {
    this.#client = client;
    this.#isSharded = isSharded;
    const message = (channel: Uint8Array, bytes: Uint8Array): void => heard.message(decoder.decode(channel), bytes);
    const cut = (): void => heard.cut();
    this.#listeners = [[isSharded ? "smessageBuffer" : "messageBuffer", message], ...cuts.map((event) => [event, cut] as const)];
    for (const [event, listener] of this.#listeners) client.on(event, listener);
  }

  get hindrance(): string | undefined {
    return hindranceOf(this.#client);
  }

  async subscribe(channels: readonly string[]): Promise<void> {
    await (this.#isSharded ? this.#client.ssubscribe(...channels) : this.#client.subscribe(...channels));
  }

  async unsubscribe(channels: readonly string[]): Promise<void> {
    await (this.#isSharded ? this.#client.sunsubscribe(...channels) : this.#client.unsubscribe(...channels));
  }

  end(): void {
    for (const [event, listener] of this.#listeners) this.#client.off(event, listener);
  }
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
