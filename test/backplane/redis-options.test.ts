/** Wrong options are refused by name, before anything connects. */
import { Cluster, Redis } from "ioredis";
import { createClient, createCluster, createSentinel } from "redis";
import { afterAll, expect, test } from "vitest";
import { redis } from "../../adapters/redis/index.ts";

const client = new Redis({ lazyConnect: true });
const cluster = new Cluster([{ port: 1 }], { lazyConnect: true });
const other = createClient();
const otherCluster = createCluster({ rootNodes: [{ url: "redis://127.0.0.1:1" }] });

const sentinel = createSentinel({ name: "mymaster", sentinelRootNodes: [{ host: "127.0.0.1", port: 1 }] });
const prefixed = new Redis({ lazyConnect: true, keyPrefix: "app:" });

afterAll(() => {
  client.disconnect();
  cluster.disconnect();
});

const names = "client, subscriber, prefix, sharded, replicas, timeout, remember, warn, lease, patience, maxPending, counts";

test.each<readonly [string, () => unknown, string | RegExp]>([
  ["nothing", () => redis(undefined as never), "redis takes options or an address, not undefined [EW420]"],
  ["no client", () => redis({} as never), 'redis: option "client" must be a client of ioredis or node-redis, not undefined [EW139]'],
  ["another client", () => redis({ client: {} }), /^redis: option "client" must be a client of ioredis or node-redis, not/],
  ["itself as subscriber", () => redis({ client, subscriber: client }), /^redis: option "subscriber" must be another client: /],
  ["a subscriber of the other library", () => redis({ client, subscriber: other }), /must be a client of ioredis, as "client" is/],
  ["a subscriber of ioredis", () => redis({ client: other, subscriber: client }), /must be a client of node-redis, as "client" is/],
  ["a cluster without sharded channels", () => redis({ client: cluster }), /shardedSubscribers: true .*or set "sharded" to false/],
  ["replicas in node-redis's cluster", () => redis({ client: otherCluster, replicas: 1 }), /"replicas" needs ioredis in a cluster/],
  ["a sentinel of node-redis", () => redis({ client: sentinel }), /is a sentinel of node-redis, which is not supported: use ioredis/],
  ["a client with a prefix", () => redis({ client: prefixed }), /"client" is a client with a keyPrefix: use the option "prefix" instead/],
  ["a subscriber with a prefix", () => redis({ client, subscriber: prefixed }), /"subscriber" is a client with a keyPrefix/],
  ["an unknown option", () => redis({ client, prefx: "" } as never), new RegExp(`unknown option "prefx": options are `)],
  [
    "a prefix with a brace",
    () => redis({ client, prefix: "{a}" }),
    'redis: option "prefix" must be a string without { and }, not "{a}" [EW139]',
  ],
  ["a short lease", () => redis({ client, lease: 1 }), /option "lease" must be a whole number from 1000 to 3600000, not 1/],
  ["a timeout that is no number", () => redis({ client, timeout: "1" as never }), /option "timeout" must be a whole number/],
  ["sharded", () => redis({ client, sharded: 1 as never }), /option "sharded" must be true or false, not 1/],
  ["replicas", () => redis({ client, replicas: -1 }), /option "replicas" must be a whole number from 0 to 100, not -1/],
  ["the server's part", () => redis({ client, patience: 1 }), /patience/],
  ["an address with a wrong option", () => redis("redis://127.0.0.1:1", { remember: 5 }), /option "remember" must be/],
])("%s", (_, create, message) => {
  expect(create).toThrow(message);
});

test("all options are named", () => {
  const sorted = (list: string): string[] => list.split(", ").toSorted();
  try {
    redis({ client, nonsense: 1 } as never);
  } catch (error) {
    const listed = /options are (.*) \[EW105\]$/.exec((error as Error).message)?.[1] ?? "";
    expect(sorted(listed)).toEqual(sorted(names));
  }
  expect.assertions(1);
});
