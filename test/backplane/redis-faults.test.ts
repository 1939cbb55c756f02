/** What happens to Redis, and to connections to it. */
import { Redis } from "ioredis";
import { afterEach, describe, expect, inject, test } from "vitest";
import { redis } from "../../adapters/redis/index.ts";
import type { RedisBackplane, RedisTuning } from "../../adapters/redis/index.ts";
import { baseOf } from "../../adapters/redis/room.ts";
import { Member, eventually, kept, publish, word } from "./member.ts";
import { ioredisClients, nodeRedisClients } from "./redis-host.ts";
import type { Clients } from "./redis-host.ts";
import { RedisServer } from "./redis-server.ts";

const path = inject("redis");
const libraries = [
  ["ioredis", ioredisClients],
  ["node-redis", nodeRedisClients],
] as const;

/** What a test has opened: it ends with it, the last first. */
const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

async function start(...options: readonly string[]): Promise<RedisServer> {
  const server = await RedisServer.start(path, ...options);
  open.push(() => server.stop());
  return server;
}

function admin({ url }: RedisServer): Redis {
  const client = new Redis(url);
  client.on("error", () => {});
  open.push(() => client.disconnect());
  return client;
}

async function over(connect: () => Promise<Clients>, tuning: RedisTuning = {}): Promise<RedisBackplane> {
  const { client, subscriber, close } = await connect();
  const backplane = redis({ client, ...(subscriber === undefined ? {} : { subscriber }), warn: () => {}, ...tuning });
  open.push(close, () => backplane.close());
  return backplane;
}

const noCounts = { connections: 0, topics: new Map<string, number>() };

describe.skipIf(path === "")("Redis", () => {
  describe.each(libraries)("by %s", (_, clients) => {
    test("forgets its scripts, and is sent them again", async () => {
      const server = await start();
      const member = await Member.join(await over(clients(server.url)), "room");
      await member.turn(publish("1", { topics: ["t"] }));
      await admin(server).script("FLUSH");
      await member.turn(publish("2", { topics: ["t"] }));
      expect(await member.changes(2)).toMatchObject([{ payload: "1" }, { payload: "2" }]);
    });

    test("is killed and comes back empty: calls fail by name, nodes are told of the cut, and begin again", async () => {
      const server = await start();
      const member = await Member.join(await over(clients(server.url)), "room");
      await member.turn(publish("1", { kept: [kept("t")] }));
      const { life, cuts } = member;
      await server.kill();
      await expect(member.turn(publish("2", { topics: ["t"] }))).rejects.toMatchObject({ name: "BackplaneError" });
      await server.restart();
      await member.until(() => member.cuts > cuts, "that it was cut");
      await eventually(() => member.port.subscribe());
      expect(await eventually(() => member.port.turns(member.next()))).toBe("other");
      const joined = await member.joinAgain(life);
      expect([joined.life === life, joined.batch, joined.logs]).toEqual([false, 0, []]);
      member.forget();
      await member.turn(publish("3", { topics: ["t"] }));
      expect(await member.changes(1)).toMatchObject([{ payload: "3" }]);
    });

    test("cuts subscriptions: nodes are told, and hear again", async () => {
      const server = await start();
      const member = await Member.join(await over(clients(server.url)), "room");
      const { cuts } = member;
      await admin(server).call("CLIENT", "KILL", "TYPE", "pubsub");
      await member.until(() => member.cuts > cuts, "that it was cut");
      await eventually(() => member.port.subscribe());
      await member.turn(publish("1", { topics: ["t"] }));
      expect(await member.changes(1)).toMatchObject([{ payload: "1" }]);
    });

    test("stops without a word: a call fails at its deadline, and what is repeated was carried out once", async () => {
      const server = await start();
      const member = await Member.join(await over(clients(server.url), { timeout: 300 }), "room");
      server.pause();
      const batch = member.next({ steps: [publish("1", { topics: ["t"] })] });
      await expect(member.port.turns(batch)).rejects.toThrow("redis: no answer within 300 ms [EW704]");
      server.resume();
      const answer = await eventually(() => member.send(batch));
      expect(answer.feed).toEqual({ number: 1, tag: batch.tag });
      await member.turn(publish("2", { topics: ["t"] }));
      expect(await member.changes(2)).toMatchObject([{ payload: "1" }, { payload: "2" }]);
    });

    test("acknowledges once replicas have it, and says how many do", async () => {
      const [server, replica] = [await start("--repl-ping-replica-period", "1"), await start()];
      await admin(replica).replicaof("127.0.0.1", server.port);
      const member = await Member.join(await over(clients(server.url), { replicas: 1 }), "room");
      const first = member.next({ steps: [publish("1", { topics: ["t"] })] });
      await eventually(() => member.send(first));
      replica.pause();
      const second = member.next({ steps: [publish("2", { topics: ["t"] })] });
      await expect(member.port.turns(second)).rejects.toThrow("redis: 0 replicas have it, not 1 [EW414]");
      await expect(member.port.turns(second)).rejects.toThrow("redis: 0 replicas have it, not 1 [EW414]");
      replica.resume();
      expect((await eventually(() => member.send(second))).feed).toEqual({ number: 2, tag: second.tag });
      expect(await member.changes(2)).toMatchObject([{ payload: "1" }, { payload: "2" }]);
    });
  });

  test("fails over to a replica that is behind: what it lost shows in the batch, and in the tags", async () => {
    const [server, replica] = [await start(), await start()];
    const follower = admin(replica);
    await follower.replicaof("127.0.0.1", server.port);
    const member = await Member.join(await over(ioredisClients(server.url), { replicas: 1 }), "room");
    const first = member.next({ steps: [publish("1", { kept: [kept("t")], tag: "t1" })] });
    await eventually(() => member.send(first));
    const primary = await over(ioredisClients(server.url));
    const ahead = await Member.join(primary, "room");
    replica.pause();
    await admin(server).call("CLIENT", "KILL", "TYPE", "replica");
    await ahead.turn(publish("lost", { kept: [kept("t")], tag: "t2" }));
    await server.kill();
    replica.resume();
    await follower.replicaof("NO", "ONE");
    const after = await Member.join(await over(ioredisClients(replica.url)), "room", member.name);
    expect([after.life, after.batch]).toEqual([member.life, 1]);
    await after.turn(publish("2", { kept: [kept("t")], tag: "t3" }));
    const page = await after.port.page("t", "et.2.t2", 9);
    expect(page).toMatchObject({ known: false, entries: [{ payload: "1" }, { payload: "2", offset: 2, tag: "t3" }] });
    const late = after.port.turns({ ...ahead.next(), node: ahead.name });
    expect(await late).toMatch(/^(other|expelled)$/);
  });

  test("fails over by its sentinel: nodes are told of the cut, and go on where they were", async () => {
    const [server, replica] = [await start(), await start()];
    const follower = admin(replica);
    await follower.replicaof("127.0.0.1", server.port);
    const sentinel = await RedisServer.sentinel(path, server);
    open.push(() => sentinel.stop());
    const connect = async (): Promise<Clients> => {
      const options = { sentinels: [{ host: "127.0.0.1", port: sentinel.port }], name: "primary", sentinelRetryStrategy: () => 100 };
      const [client, subscriber] = [new Redis(options), new Redis(options)];
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
    const member = await Member.join(await over(connect, { replicas: 1 }), "room");
    const first = member.next({ steps: [publish("1", { kept: [kept("t")] })] });
    await eventually(() => member.send(first));
    const { cuts, life } = member;
    await eventually(async () => {
      const known = await admin({ url: `redis://127.0.0.1:${sentinel.port}` } as RedisServer).call("SENTINEL", "REPLICAS", "primary");
      if ((known as unknown[]).length === 0) throw new Error("the sentinel does not know the replica yet");
    });
    await server.kill();
    await member.until(() => member.cuts > cuts, "that it was cut");
    await eventually(() => member.port.subscribe());
    const joined = await eventually(() => member.joinAgain(life));
    expect(joined).toMatchObject({ life, batch: 1, logs: [{ topic: "t", last: { offset: 1 } }] });
    // It has no replica any more: the turn is carried out, and not acknowledged.
    const second = member.next({ steps: [publish("2", { kept: [kept("t")] })] });
    await expect(member.port.turns(second)).rejects.toThrow("0 replicas have it");
    await member.until(() => member.frames.length === 2);
    expect(await member.changes(3)).toMatchObject([{ type: "log" }, { payload: "1" }, { payload: "2" }]);
  });

  test("gives no answers: a client is given no more than it can forget", async () => {
    const server = await start();
    const member = await Member.join(await over(ioredisClients(server.url), { timeout: 1000 }), "room");
    server.pause();
    const asked = Array.from({ length: 1000 }, () => member.port.page("t", undefined, 1).catch((error: Error) => error.message));
    expect(new Set(await Promise.all(asked))).toEqual(new Set(["redis: no answer within 1000 ms [EW704]"]));
    await expect(member.port.page("t", undefined, 1)).rejects.toThrow(/^redis: \d+ commands have had no answer \[EW418\]$/);
    server.resume();
    await eventually(() => member.port.page("t", undefined, 1));
  });

  test("is told of settings that lose rooms, once", async () => {
    const server = await start("--maxmemory-policy", "allkeys-lru");
    const warned: string[] = [];
    const told = Promise.withResolvers<void>();
    const warn = (message: string): void => {
      warned.push(message);
      told.resolve();
    };
    const member = await Member.join(await over(ioredisClients(server.url), { warn }), "room");
    for (const payload of ["1", "2"]) await member.turn(publish(payload, { topics: ["t"] }));
    await told.promise;
    expect(warned).toEqual(["redis: maxmemory-policy is allkeys-lru: histories and sessions may be evicted. Set it to noeviction [EW436]"]);
  });

  test("keeps nothing of a room that is empty, and nothing for ever but values and tasks", async () => {
    const server = await start();
    const client = admin(server);
    const backplane = await over(ioredisClients(server.url), { remember: 60_000 });
    const [one, other] = [await Member.join(backplane, "room"), await Member.join(backplane, "room")];
    await one.on({ type: "create", session: "s", snapshot: "", epoch: "o" }, { type: "send", session: "s", payload: "1", tag: "1" });
    await one.turn({ type: "present", present: { id: "c", node: one.name, member: "m", state: "" } });
    await one.turn({ type: "present", present: { id: "d", node: one.name, session: "s", member: "m", state: "" } });
    await one.port.report({ life: one.life, counts: noCounts });
    for (const key of await client.keys("*")) expect(await client.pttl(key), key).toBeGreaterThan(50_000);
    await one.on({ type: "end", session: "s" });
    await one.port.leave();
    await other.port.leave();
    expect(await client.keys("*")).toEqual([`${baseOf("ew:", "room")}s:s`]);
    const third = await Member.join(backplane, "room");
    await third.turn(publish("1", { kept: [kept("t", { seconds: 7200 })] }));
    const { values, tasks } = backplane.kept("room", "server");
    await values.write({ tag: word(), changes: new Map([["key", "value"]]) });
    await tasks.put({ lane: "alarm", id: "alarm", tag: word(), time: 8e12, isRepeated: true, body: "", most: 1 });
    await third.port.report({ life: third.life, counts: noCounts });
    await third.port.leave();
    const times = await Promise.all(
      (await client.keys("*")).map(async (key) => [key.replace(/^.*}:/, ""), await client.pttl(key)] as const),
    );
    const endless = times.filter(([, time]) => time < 0).map(([key]) => key);
    expect(endless.toSorted()).toEqual(["ew:due", "tk:alarm", "tz:alarm", "v", "vm", "vz"]);
    for (const key of ["m", "l", "n", "t:t"]) expect(new Map(times).get(key), key).toBeGreaterThan(7_200_000);
  });

  test("is reached by an address too", async () => {
    const server = await start();
    const backplane = redis(server.url, { warn: () => {} });
    open.push(() => backplane.close());
    const member = await Member.join(backplane, "room");
    await member.turn(publish("1", { topics: ["t"] }));
    expect(await member.changes(1)).toMatchObject([{ payload: "1" }]);
    await backplane.close();
    await expect(member.port.subscribe()).rejects.toThrow("redis: the backplane is closed [EW417]");
  });

  test("by an address: a connection that fails is told of once", async () => {
    const server = await start();
    await server.kill();
    const warned: string[] = [];
    const told = Promise.withResolvers<void>();
    const warn = (message: string): void => {
      warned.push(message);
      told.resolve();
    };
    const backplane = redis(server.url, { warn });
    open.push(() => backplane.close());
    await told.promise;
    expect(warned[0]).toMatch(/^redis: no connection, and tries again: .*ECONNREFUSED.* \[EW437\]$/);
    await server.restart();
    await eventually(() => Member.join(backplane, "room"));
    expect(warned).toHaveLength(1);
  });
});
