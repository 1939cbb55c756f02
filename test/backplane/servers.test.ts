/** A room of several processes through a real Redis, with the failures of either. */
import { Redis } from "ioredis";
import { afterEach, describe, expect, inject, test } from "vitest";
import { RedisServer } from "./redis-server.ts";
import { Client, ServerProcess, refusal } from "./servers.ts";
import type { Runtime } from "./servers.ts";

const path = inject("redis");

/** What a test has started: it ends with it, the last first. */
const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

interface Scene {
  readonly redis: RedisServer;
  readonly servers: readonly ServerProcess[];
  /** One of each server. */
  readonly clients: readonly Client[];
}

const names = ["ada", "bob", "cyd"];

async function scene(...runtimes: readonly Runtime[]): Promise<Scene> {
  const redis = await RedisServer.start(path);
  open.push(() => redis.stop());
  const servers = await Promise.all(
    runtimes.map(async (runtime) => {
      const server = await ServerProcess.start(runtime, redis.url);
      open.push(() => server.kill());
      return server;
    }),
  );
  const clients: Client[] = [];
  for (const [index, server] of servers.entries()) clients.push(await Client.join(server, names[index]!));
  for (const client of clients) open.push(() => client.socket.terminate());
  for (const client of clients) await client.untilThere(runtimes.length, ...names.slice(0, runtimes.length));
  return { redis, servers, clients };
}

describe.skipIf(path === "")("servers that share a Redis", () => {
  test("Node, Bun and Deno: everyone hears all, once, in one order, and whoever comes later has the history", async () => {
    const { servers, clients } = await scene("node", "bun", "deno");
    for (let index = 0; index < 20; index++) for (const [who, client] of clients.entries()) client.say(`${names[who]} ${index}`);
    for (const client of clients) await client.until(() => client.chat.length >= 60);
    for (const client of clients) expect(client.chat).toEqual(clients[0]!.chat);
    expect(new Set(clients[0]!.chat).size).toBe(60);
    for (const name of names) {
      const said = clients[0]!.chat.filter((text) => text.startsWith(name));
      expect(said).toEqual(Array.from({ length: 20 }, (_, index) => `${name} ${index}`));
    }
    const late = await Client.join(servers[1]!, "late");
    open.push(() => late.socket.terminate());
    await late.until(() => late.chat.length >= 60);
    expect(late.chat).toEqual(clients[0]!.chat);
    await clients[2]!.untilThere(4, ...names, "late");
  });

  test("a server that is killed: its connections are not counted any more, nor present", async () => {
    const { servers, clients } = await scene("node", "bun");
    await servers[1]!.kill();
    await clients[0]!.untilThere(1, "ada");
    clients[0]!.say("still here");
    await clients[0]!.hear("still here");
  });

  test("a server that is stopped for longer than its lease closes its sockets, and goes on under another name", async () => {
    const { servers, clients } = await scene("node", "node");
    servers[1]!.process.kill("SIGSTOP");
    await clients[0]!.untilThere(1, "ada");
    servers[1]!.process.kill("SIGCONT");
    expect(await clients[1]!.closed).toBe(1012);
    const again = await Client.join(servers[1]!, "bob");
    open.push(() => again.socket.terminate());
    await clients[0]!.untilThere(2, "ada", "bob");
    again.say("back");
    await clients[0]!.hear("back");
  });

  test("Redis is away for a moment: nothing is lost, and nothing comes twice", async () => {
    const { redis, clients } = await scene("node", "bun");
    redis.pause();
    for (const [who, client] of clients.entries()) client.say(`${names[who]} waits`);
    // Long enough for a command to fail at its deadline, and shorter than servers are patient.
    await new Promise((resolve) => void setTimeout(resolve, 900));
    redis.resume();
    for (const client of clients) await client.until(() => client.chat.length >= 2);
    clients[0]!.say("after");
    for (const client of clients) await client.hear("after");
    expect(clients.map(({ chat }) => chat.toSorted())).toEqual([0, 1].map(() => ["ada waits", "after", "bob waits"]));
  });

  test("Redis is away for longer: publishes throw by name, handshakes get 503, sockets stay", async () => {
    const { redis, servers, clients } = await scene("node", "deno");
    await redis.kill();
    clients[0]!.say("first");
    for (let tries = 0; !clients[0]!.heard.includes("! BackplaneError"); tries++) {
      clients[0]!.say(`chat ${tries}`);
      await new Promise((resolve) => void setTimeout(resolve, 100));
      expect(tries).toBeLessThan(200);
    }
    for (const server of servers) {
      const [status, retry] = await refusal(server);
      expect([status, Number(retry) > 0]).toEqual([503, true]);
    }
    expect(clients.map(({ socket }) => socket.readyState)).toEqual([1, 1]);
  });

  test("Redis comes back empty: the room goes on, without what was kept", async () => {
    const { redis, clients } = await scene("node", "bun");
    clients[0]!.say("before");
    for (const client of clients) await client.hear("before");
    await redis.kill();
    await redis.restart();
    clients[1]!.say("after");
    for (const client of clients) await client.hear("after");
    await clients[0]!.untilThere(2, "ada", "bob");
    expect(clients.map(({ chat }) => chat)).toEqual([0, 1].map(() => ["before", "after"]));
  });

  test("subscriptions are cut: what is kept is brought after all, in its order, and once", async () => {
    const { redis, clients } = await scene("node", "bun");
    const admin = new Redis(redis.url);
    open.push(() => admin.disconnect());
    for (let index = 0; index < 50; index++) {
      clients[index % 2]!.say(`chat ${index}`);
      if (index % 10 === 5) await admin.call("CLIENT", "KILL", "TYPE", "pubsub");
    }
    for (const client of clients) await client.until(() => client.chat.length >= 50);
    expect(clients[1]!.chat).toEqual(clients[0]!.chat);
    expect(new Set(clients[0]!.chat).size).toBe(50);
  });
});
