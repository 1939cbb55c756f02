/** What measures clusters works with every contender. Nothing here is about speed. */
import { describe, expect, inject, test, beforeAll } from "vitest";
import { defaultNames } from "../../bench/cluster/contenders.ts";
import { crowd } from "../../bench/cluster/crowd.ts";
import { elsewhere } from "../../bench/cluster/elsewhere.ts";
import { fanout, type Pace } from "../../bench/cluster/fanout.ts";
import { latency } from "../../bench/cluster/latency.ts";
import { installPeers } from "../../bench/servers/peers.ts";

const pace: Pace = { starts: 1, rounds: 1, slice: 50, warmUp: 20 };
const edgewire = "edgewire";

beforeAll(installPeers, 60_000);

describe.skipIf(inject("redis") === "")("nodes on one Redis", { retry: 2 }, () => {
  test("fan-out over two nodes, with everyone", async () => {
    const rows = await fanout({ nodes: 2, subscribers: 4, inflight: 2 }, defaultNames, pace);
    expect(rows.map(({ name }) => name)).toEqual(defaultNames);
    for (const { rate, nodes, redis } of rows) for (const value of [rate.median, nodes, redis]) expect(value).toBeGreaterThan(0);
  });

  test("latency, beside Redis alone", async () => {
    const { plain, rows } = await latency([edgewire], pace);
    for (const value of [plain.p50, plain.p99, rows[0]?.p50, rows[0]?.p99]) expect(value).toBeGreaterThan(0);
  });

  test("a node is killed, and its clients come back elsewhere", async () => {
    const { moved, after } = await crowd(edgewire, { nodes: 3, connections: 30, rooms: 5 });
    expect(moved.connections).toBe(10);
    expect(after.cpu).toBeGreaterThan(0);
  });

  test("a node reads nothing of a room that nobody of its own is in", async () => {
    const [without, everyRoom] = [await elsewhere(edgewire, { ...pace, rounds: 3 }), await elsewhere("crossws", { ...pace, rounds: 3 })];
    expect(Math.abs(without.bytes.median)).toBeLessThan(10);
    // One channel for all rooms: each message reaches all nodes.
    expect(everyRoom.bytes.median).toBeGreaterThan(100);
  });
});
