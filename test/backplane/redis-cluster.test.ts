/** Three masters of a Redis cluster do what the port promises, by either client: a room is one slot. */
import { spawnSync } from "node:child_process";
import { Cluster, Redis } from "ioredis";
import { afterAll, beforeAll, inject } from "vitest";
import { ioredisCluster, nodeRedisCluster, redisHost } from "./redis-host.ts";
import { RedisServer } from "./redis-server.ts";
import { describeBackplane } from "./suite.ts";

const path = inject("redis");
let servers: RedisServer[] = [];
const ports = (): number[] => servers.map(({ port }) => port);
const admin = (): Cluster => new Cluster(ports().map((port) => ({ host: "127.0.0.1", port })));

beforeAll(async () => {
  if (path === "") return;
  servers = await Promise.all([1, 2, 3].map(() => RedisServer.start(path, "--cluster-enabled", "yes", "--cluster-node-timeout", "5000")));
  const nodes = ports().map((port) => `127.0.0.1:${port}`);
  const { status, stdout, stderr } = spawnSync("redis-cli", ["--cluster", "create", ...nodes, "--cluster-yes"], { encoding: "utf8" });
  if (status !== 0) throw new Error(`redis-cli --cluster create failed: ${stdout}${stderr}`);
  await Promise.all(servers.map(isReady));
});

afterAll(() => Promise.all(servers.map((server) => server.stop())));

/** Each node has to hear of the others. */
async function isReady({ url }: RedisServer): Promise<void> {
  const client = new Redis(url);
  try {
    for (let tries = 0; tries < 500; tries++) {
      const info = (await client.cluster("INFO")) as string;
      if (info.includes("cluster_state:ok")) return;
    }
    throw new Error("the cluster has not come up");
  } finally {
    client.disconnect();
  }
}

describeBackplane("a Redis cluster by ioredis", () => redisHost(ioredisCluster(ports()), admin()), path === "");
describeBackplane("a Redis cluster by node-redis", () => redisHost(nodeRedisCluster(ports()), admin()), path === "");
