/**
 * `edgewire/redis`: a backplane of rooms that span processes and machines, in a Redis that they share, by ioredis or node-redis. What it has to do is in
 * ../../src/cluster/backplane.ts; docs/maintainers/cluster-simulation.md says what Redis must be set to.
 */
import { clustered } from "../../src/cluster/index.ts";
import type { SharedBackplane } from "../../src/cluster/index.ts";
import { show } from "../../src/values/text.ts";
import { RedisBackplane } from "./backplane.ts";
import type { Connections, Heard } from "./connection.ts";
import { overIoredis } from "./ioredis.ts";
import { overNodeRedis } from "./node-redis.ts";
import { checkClients, checkTuning, clusterOptionsOf } from "./options.ts";
import type { CheckedClients, RedisOptions, RedisTuning } from "./options.ts";
import { createClient } from "./own-client.ts";

export type { RedisBackplane } from "./backplane.ts";
export type { RedisClient, RedisOptions, RedisTuning } from "./options.ts";

/**
 * Rooms in Redis: `serve(chat, { backplane: redis({ client, subscriber }) })`, or `redis("redis://localhost:6379")`, which creates two clients of ioredis.
 * Clients that were given stay open when it is closed.
 * @throws TypeError or RangeError for a wrong option, with its name; Error if it needs ioredis, and that is not installed.
 */
export function redis(options: RedisOptions): RedisBackplane & SharedBackplane;
export function redis(url: string, options?: RedisTuning): RedisBackplane & SharedBackplane;
export function redis(target: RedisOptions | string, options: RedisTuning = {}): RedisBackplane & SharedBackplane {
  if (typeof target === "string") {
    const tuning = checkTuning(options, []);
    const [client, subscriber] = [createClient(target, tuning.warn), createClient(target, () => {})];
    const backplane = new RedisBackplane(tuning, (heard) => overIoredis(client, subscriber, heard, tuning.sharded, [client, subscriber]));
    return clustered(backplane, clusterOptionsOf(options));
  }
  if (typeof target !== "object" || target === null) throw new TypeError(`redis takes options or an address, not ${show(target)} [EW420]`);
  const tuning = checkTuning(target, ["client", "subscriber"]);
  const clients = checkClients(target, tuning);
  const backplane = new RedisBackplane(tuning, (heard) => connect(clients, heard, tuning.sharded));
  return clustered(backplane, clusterOptionsOf(target));
}

/** A subscriber that was not given is a copy of the client. */
function connect(clients: CheckedClients, heard: Heard, isSharded: boolean): Connections {
  if (clients.library === "ioredis") {
    const { client, subscriber = client.duplicate() } = clients;
    return overIoredis(client, subscriber, heard, isSharded, clients.subscriber === undefined ? [subscriber] : []);
  }
  const { client, subscriber = client.duplicate() } = clients;
  return overNodeRedis(client, subscriber, heard, isSharded, clients.subscriber === undefined);
}
