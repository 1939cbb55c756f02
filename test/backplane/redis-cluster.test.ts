/** Three masters of a Redis cluster do what the port promises, by either client: a room is one slot. */
import { spawnSync } from "node:child_process";
import { Cluster, Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { Member, eventually, kept, publish, word } from "./member.ts";
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
      // Nodes gossip ten times a second, and there is no event for it.
      await new Promise((resolve) => void setTimeout(resolve, 40));
    }
    throw new Error("the cluster has not come up");
  } finally {
    client.disconnect();
  }
}

/** To another node, with all keys. */
async function moveSlotOf(key: string): Promise<void> {
  const clients = servers.map(({ url }) => new Redis(url));
  const call = (client: Redis, ...args: string[]): Promise<unknown> => client.call("CLUSTER", ...args);
  try {
    const slot = Number(await call(clients[0]!, "KEYSLOT", key));
    const ids = (await Promise.all(clients.map((client) => call(client, "MYID")))).map(String);
    const slots = (await call(clients[0]!, "SLOTS")) as [from: number, to: number, node: [host: string, port: number, id: string]][];
    const owner = ids.indexOf(slots.find(([from, to]) => from <= slot && slot <= to)![2][2]);
    const next = (owner + 1) % ids.length;
    await call(clients[next]!, "SETSLOT", String(slot), "IMPORTING", ids[owner]!);
    await call(clients[owner]!, "SETSLOT", String(slot), "MIGRATING", ids[next]!);
    const keys = (await call(clients[owner]!, "GETKEYSINSLOT", String(slot), "1000")) as string[];
    await clients[owner]!.call("MIGRATE", "127.0.0.1", String(servers[next]!.port), "", "0", "5000", "KEYS", ...keys);
    for (const at of [next, owner, ...ids.keys()]) await call(clients[at]!, "SETSLOT", String(slot), "NODE", ids[next]!);
  } finally {
    for (const client of clients) client.disconnect();
  }
}

describe.skipIf(path === "").each([
  ["ioredis", ioredisCluster],
  ["node-redis", nodeRedisCluster],
] as const)("by %s", (_, connect) => {
  test("a room's slot moves to another node: it goes on there, and nodes hear again", async () => {
    const host = await redisHost(connect(ports()), admin());
    try {
      const room = word();
      const member = await Member.join(host.backplanes[0], room);
      await member.turn(publish("1", { kept: [kept("t")] }));
      await moveSlotOf(host.keyOf(room));
      const second = member.next({ steps: [publish("2", { kept: [kept("t")] })] });
      await eventually(() => member.send(second));
      await eventually(async () => {
        await member.port.subscribe();
        member.forget();
        await member.turn(publish("3", { topics: ["t"] }));
        await member.until(() => member.frames.length > 0, "the feed", 1000);
      });
      expect((await member.port.page("t", undefined, 9))?.entries.map(({ payload }) => payload)).toEqual(["1", "2"]);
    } finally {
      await host.close();
    }
  });
});

describeBackplane("a Redis cluster by ioredis", () => redisHost(ioredisCluster(ports()), admin()), path === "");
describeBackplane("a Redis cluster by node-redis", () => redisHost(nodeRedisCluster(ports()), admin()), path === "");
