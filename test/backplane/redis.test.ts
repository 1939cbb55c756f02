/** Redis alone does what the port promises, by either client. */
import { Redis } from "ioredis";
import { afterAll, beforeAll, inject } from "vitest";
import { ioredisClients, nodeRedisClients, redisHost } from "./redis-host.ts";
import { RedisServer } from "./redis-server.ts";
import { describeBackplane } from "./suite.ts";

const path = inject("redis");
let server: RedisServer;

beforeAll(async () => {
  if (path !== "") server = await RedisServer.start(path);
});

afterAll(() => server?.stop());

describeBackplane("Redis by ioredis", () => redisHost(ioredisClients(server.url), new Redis(server.url)), path === "");
describeBackplane("Redis by node-redis", () => redisHost(nodeRedisClients(server.url), new Redis(server.url)), path === "");
describeBackplane(
  "Redis without sharded channels",
  () => redisHost(ioredisClients(server.url), new Redis(server.url), { sharded: false }),
  path === "",
);
