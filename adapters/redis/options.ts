/** The options of `redis`, and whether they are right. */
import type { ClusterOptions } from "../../src/cluster/rooms/options.ts";
import { limitsOf } from "../../src/cluster/rooms/options.ts";
import { show } from "../../src/values/text.ts";
import type { IoredisClient } from "./ioredis.ts";
import { isIoredis } from "./ioredis.ts";
import { isNodeRedis, isNodeRedisCluster, isNodeRedisSentinel } from "./node-redis.ts";
import type { NodeRedisClient } from "./node-redis.ts";

/** What `redis` takes besides its clients, or an address. */
export interface RedisTuning extends ClusterOptions {
  /** What all keys and channels begin with. Default: `"ew:"`. */
  readonly prefix?: string;
  /** Sharded channels (`SPUBLISH`), which Redis has since 7.0: in a cluster a message goes to one shard alone. `false` uses `PUBLISH`. Default: true. */
  readonly sharded?: boolean;
  /** A turn is carried out once so many replicas have it (`WAIT`): a failover to one of those loses nothing that was acknowledged. Default: 0. */
  readonly replicas?: number;
  /** Milliseconds after which a command that has no answer counts as failed. Default: 5000. */
  readonly timeout?: number;
  /** Milliseconds for which what was acknowledged in a session that has ended is remembered, and a room that nobody comes back to. Default: a day. */
  readonly remember?: number;
  /** Told what is wrong with Redis: its settings, a connection that is lost. Default: `console.warn`. */
  readonly warn?: (message: string) => void;
}

/** A client of ioredis (`Redis` or `Cluster`) or of node-redis (what `createClient` or `createCluster` returns). */
export type RedisClient = object;

/** What `redis` takes, with clients of your own. */
export interface RedisOptions extends RedisTuning {
  /** Sends the commands: a client of ioredis or node-redis, connected or about to be. */
  readonly client: RedisClient;
  /** Another client of the same library, which does nothing else: Redis lets a client that subscribes send no commands. Default: `client.duplicate()`. */
  readonly subscriber?: RedisClient;
}

/** What the adapter itself needs. The rest is the server's. */
export type Tuning = Required<Omit<RedisTuning, keyof ClusterOptions>> & { readonly lease: number };

/** For the server. */
const others: readonly (keyof ClusterOptions)[] = ["patience", "maxPending", "counts"];

type Check = (value: unknown) => string | undefined;

const day = 24 * 3600_000;
/** The longest time of `setTimeout`. */
const longest = 2 ** 31 - 1;

function integer(least: number, most: number): Check {
  const text = `a whole number from ${least} to ${most}`;
  return (value) => (Number.isInteger(value) && (value as number) >= least && (value as number) <= most ? undefined : text);
}

const defaults: Tuning = {
  prefix: "ew:",
  lease: 15_000,
  sharded: true,
  replicas: 0,
  timeout: 5000,
  remember: day,
  warn: (message) => console.warn(message),
};

const checks: Readonly<Record<keyof Tuning, Check>> = {
  // Braces in it would be the hash tag, and all rooms one slot.
  prefix: (value) => (typeof value === "string" && value.isWellFormed() && !/[{}]/.test(value) ? undefined : "a string without { and }"),
  lease: integer(1000, 3_600_000),
  sharded: (value) => (typeof value === "boolean" ? undefined : "true or false"),
  replicas: integer(0, 100),
  timeout: integer(100, longest),
  remember: integer(60_000, 365 * day),
  warn: (value) => (typeof value === "function" ? undefined : "a function"),
};

/** @param clients names of options that are checked elsewhere. @throws TypeError by name for an unknown option or a wrong type, RangeError for a number out of range. */
export function checkTuning(options: object, clients: readonly string[]): Tuning {
  const names = [...clients, ...Object.keys(checks), ...others];
  const tuning: Record<string, unknown> = { ...defaults };
  for (const [name, value] of Object.entries(options)) {
    if (!names.includes(name)) throw new TypeError(`redis: unknown option "${name}": options are ${names.join(", ")} [EW105]`);
    const check = (checks as Readonly<Record<string, Check | undefined>>)[name];
    const wanted = value === undefined ? undefined : check?.(value);
    if (wanted !== undefined) throw wrong(name, wanted, value);
    if (value !== undefined && check !== undefined) tuning[name] = value;
  }
  // Before clients are created: the server's part is refused by its own name.
  limitsOf(clusterOptionsOf(options));
  return tuning as unknown as Tuning;
}

/** The server's part. */
export function clusterOptionsOf({ lease, patience, maxPending, counts }: RedisTuning): ClusterOptions {
  return { lease, patience, maxPending, counts };
}

function wrong(name: string, wanted: string, value: unknown): Error {
  const KindOfError = typeof value === "number" ? RangeError : TypeError;
  return new KindOfError(`redis: option "${name}" must be ${wanted}, not ${show(value)} [EW139]`);
}

export type CheckedClients =
  | { readonly library: "ioredis"; readonly client: IoredisClient; readonly subscriber: IoredisClient | undefined }
  | { readonly library: "redis"; readonly client: NodeRedisClient; readonly subscriber: NodeRedisClient | undefined };

/** @throws TypeError for anything but a client of ioredis or node-redis. */
export function checkClients({ client, subscriber }: RedisOptions, { sharded, replicas }: Tuning): CheckedClients {
  for (const [name, value] of [
    ["client", client],
    ["subscriber", subscriber],
  ] as const) {
    refuseBun(name, value);
    refusePrefix(name, value);
  }
  if (subscriber === client && client !== undefined)
    throw new TypeError('redis: option "subscriber" must be another client: one that subscribes sends no commands [EW421]');
  if (isObject(client) && isIoredis(client)) {
    if (subscriber !== undefined && !(isObject(subscriber) && isIoredis(subscriber))) throw otherLibrary("ioredis", subscriber);
    checkShards(subscriber ?? client, sharded);
    return { library: "ioredis", client, subscriber };
  }
  if (isObject(client) && isNodeRedis(client)) {
    if (isNodeRedisSentinel(client))
      throw new TypeError('redis: option "client" is a sentinel of node-redis, which is not supported: use ioredis [EW429]');
    if (subscriber !== undefined && !(isObject(subscriber) && isNodeRedis(subscriber))) throw otherLibrary("node-redis", subscriber);
    if (replicas > 0 && isNodeRedisCluster(client))
      throw new TypeError(
        'redis: option "replicas" needs ioredis in a cluster: node-redis does not say which connection a command takes [EW422]',
      );
    return { library: "redis", client, subscriber };
  }
  throw wrong("client", "a client of ioredis or node-redis", client);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function otherLibrary(library: string, value: unknown): Error {
  return wrong("subscriber", `a client of ${library}, as "client" is`, value);
}

/** ioredis connects a cluster's sharded channels only if told to. */
function checkShards(subscriber: IoredisClient, isSharded: boolean): void {
  const { isCluster, options } = subscriber as IoredisClient & { readonly options?: { readonly shardedSubscribers?: boolean } };
  if (!isCluster || !isSharded || options?.shardedSubscribers === true) return;
  throw new TypeError(
    'redis: create the subscriber as new Cluster(nodes, { shardedSubscribers: true }), or set "sharded" to false [EW423]',
  );
}

interface Prefixed {
  readonly keyPrefix?: unknown;
  readonly redisOptions?: Prefixed;
}

/** Scripts make keys and channels of their own, which such a client would not find. */
function refusePrefix(name: string, client: unknown): void {
  const { options, _options } = Object(client) as { readonly options?: Prefixed; readonly _options?: Prefixed };
  const isPrefixed = [options, _options, options?.redisOptions].some((one) => one?.keyPrefix !== undefined && one.keyPrefix !== "");
  if (!isPrefixed) return;
  throw new TypeError(`redis: option "${name}" is a client with a keyPrefix: use the option "prefix" instead [EW428]`);
}

function refuseBun(name: string, client: unknown): void {
  const { Bun } = globalThis as { readonly Bun?: { readonly RedisClient?: new () => object } };
  if (Bun?.RedisClient === undefined || !(client instanceof Bun.RedisClient)) return;
  throw new TypeError(
    `redis: option "${name}" is Bun's RedisClient, which damages binary messages and has no sharded channels: use ioredis [EW424]`,
  );
}
