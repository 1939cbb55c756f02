/** Random sequences of calls by several nodes: Redis answers, and tells nodes, what the backplane in memory does. */
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, inject, test, vi } from "vitest";
import { redis } from "../../adapters/redis/index.ts";
import type { RedisBackplane } from "../../adapters/redis/index.ts";
import { MemoryBackplane } from "../../src/cluster/memory/index.ts";
import { RedisServer } from "./redis-server.ts";
import { Sequence } from "./sequence.ts";

/** Both take their random words from here: what one frame is called is the same in both. */
const words = vi.hoisted(() => ({ current: "" }));
vi.mock(import("../../src/history/random.ts"), async (original) => ({ ...(await original()), randomWord: () => words.current }));

const path = inject("redis");
const seeds = Number(process.env.BACKPLANE_SEEDS ?? 15);
const from = Number(process.env.BACKPLANE_FROM ?? 1);

let server: RedisServer;
let client: Redis;
let backplane: RedisBackplane;

beforeAll(async () => {
  if (path === "") return;
  server = await RedisServer.start(path);
  client = new Redis(server.url);
  backplane = redis({ client, warn: () => {} });
});

afterAll(async () => {
  await backplane?.close();
  client?.disconnect();
  await server?.stop();
});

test.skipIf(path === "")(`${seeds} sequences, from ${from}`, async () => {
  for (let seed = from; seed < from + seeds; seed++) {
    await client.flushall();
    const sequence = new Sequence(seed, new MemoryBackplane({ lease: 1e9 }), backplane, client, (word) => void (words.current = word));
    await sequence.run(80);
    const { memory, stored } = sequence;
    expect(stored, `seed ${seed}`).toEqual(memory);
  }
});
