/** Redis as the suite has it, over any client. */
import { Cluster, Redis } from "ioredis";
import { createClient, createCluster } from "redis";
import { redis } from "../../adapters/redis/index.ts";
import type { RedisBackplane, RedisTuning } from "../../adapters/redis/index.ts";
import { baseOf } from "../../adapters/redis/room.ts";
import type { BackplaneHost } from "./suite.ts";

/** Clients of one server, and how they end. */
export interface Clients {
  readonly client: object;
  readonly subscriber?: object;
  close(): void;
}

export type Connect = () => Promise<Clients>;

export function ioredisClients(url: string): Connect {
  return async () => {
    const [client, subscriber] = [new Redis(url), new Redis(url)];
    // Otherwise ioredis prints each attempt.
    for (const one of [client, subscriber]) one.on("error", () => {});
    return {
      client,
      subscriber,
      close() {
        client.disconnect();
        subscriber.disconnect();
      },
    };
  };
}

export function nodeRedisClients(url: string): Connect {
  return async () => {
    const [client, subscriber] = [createClient({ url }), createClient({ url })];
    for (const one of [client, subscriber]) {
      one.on("error", () => {});
      await one.connect();
    }
    return {
      client,
      subscriber,
      close() {
        client.destroy();
        subscriber.destroy();
      },
    };
  };
}

export function ioredisCluster(ports: readonly number[]): Connect {
  return async () => {
    const cluster = new Cluster(
      ports.map((port) => ({ host: "127.0.0.1", port })),
      { shardedSubscribers: true },
    );
    return { client: cluster, close: () => cluster.disconnect() };
  };
}

export function nodeRedisCluster(ports: readonly number[]): Connect {
  return async () => {
    const cluster = createCluster({ rootNodes: ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })) });
    cluster.on("error", () => {});
    await cluster.connect();
    return { client: cluster, close: () => cluster.destroy() };
  };
}

export interface RedisHost extends BackplaneHost {
  /** A key of the room, and so of its slot. */
  keyOf(room: string): string;
}

/** @param admin runs commands at the room's node. */
export async function redisHost(connect: Connect, admin: Redis | Cluster, tuning: RedisTuning = {}): Promise<RedisHost> {
  const clients = [await connect(), await connect()];
  const prefix = `ew${Math.floor(Math.random() * 1e9).toString(36)}:`;
  const over = ({ client, subscriber }: Clients): RedisBackplane =>
    redis({ client, ...(subscriber === undefined ? {} : { subscriber }), prefix, warn: () => {}, ...tuning });
  const [first, second] = [over(clients[0]!), over(clients[1]!)];
  return {
    backplanes: [first, second],
    keyOf: (room) => baseOf(prefix, room),
    lapse: async (room, node) => void (await admin.zadd(`${baseOf(prefix, room)}e`, "XX", 0, node)),
    lapseClaim: async (room, lane) => void (await admin.hset(`${baseOf(prefix, room)}tl:${lane}`, "until", 0)),
    evict: async (room, topic) => void (await admin.del(`${baseOf(prefix, room)}t:${topic}`)),
    async close() {
      for (const backplane of [first, second]) await backplane.close();
      for (const one of clients) one.close();
      admin.disconnect();
    },
  };
}
