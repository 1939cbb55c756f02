/**
 * Storms of hostile clients on every runtime, beside good ones; afterwards heap and descriptors are what they were. Short by default:
 * `npm run soak` takes thousands of connections a storm (SOAK_CONNECTIONS; at most a third of `ulimit -n`) and more of them (SOAK_ROUNDS).
 */
import { expect, test } from "vitest";
import { Neighbours } from "../fuzz/neighbour.ts";
import { Random } from "../fuzz/random.ts";
import { settle, Watch } from "../fuzz/watch.ts";
import { processRuntimes, Running } from "../support/runtimes.ts";
import { leastHeap } from "./heap.ts";
import { flood, trickle, vanish } from "./storm.ts";

const connections = Number(process.env["SOAK_CONNECTIONS"] ?? 200);
const rounds = Number(process.env["SOAK_ROUNDS"] ?? 1);
/** MiB by which heap may have grown: less than a hundred bytes a connection of the long run. */
const heapGrowth = 4;
/** MiB of resident memory: allocators keep what a storm needed. */
const memoryGrowth = 128;
/** Milliseconds until everything has been let go: closing deadlines, and a Durable Object that is evicted after 10 s without work. */
const patience = 30_000;
/** Descriptors that a runtime may hold for its own purposes after work, whatever the number of connections. */
const slack = 16;

/** The short run leaves out `attached`, which is Node once more. */
const runtimes = processRuntimes.filter((runtime) => rounds > 1 || runtime !== "attached");

test.for(runtimes)("%s", { timeout: 600_000 }, async (runtime, { annotate }) => {
  const running = await Running.start(runtime);
  try {
    const { port } = running.address("main")!;
    const watch = new Watch(port, runtime !== "workers" && runtime !== "durable");
    const neighbours = await Neighbours.start({ port }, "soak-good", new Random(1), runtime === "workers");
    const storm = { port, connections, tag: "soak" };
    const attack = async (): Promise<number> => {
      const before = neighbours.rounds;
      const [, , cut] = await Promise.race([
        Promise.all([vanish(storm), trickle(storm, 500), flood({ ...storm, port: running.address("limited")!.port }, 2, 100_000)]),
        neighbours.failed.then(() => Promise.reject(new Error("the neighbours have stopped"))),
      ]);
      expect(cut, "a client that floods was not cut off").toBe(2);
      expect(neighbours.rounds, "the neighbours were starved").toBeGreaterThan(before);
      running.assertAlive();
      return neighbours.rounds - before;
    };
    // What a runtime allocates for good, it allocates in the first storm.
    await attack();
    const descriptors = await settle(() => watch.descriptors, slack, 2000);
    const [memory, heap] = [watch.memory, await watch.heap()];
    let served = 0;
    for (let round = 0; round < rounds; round++) served += await attack();
    // One in four of these may reset when its 101 is on its way: Deno then keeps its descriptor, workerd both ends of an object's socket
    // (evidence in test/fuzz/limits.ts).
    const keeps = runtime === "deno" ? 1 : runtime === "durable" ? 2 : 0;
    const kept = keeps * rounds * Math.ceil(connections / 4);
    const after = await settle(() => watch.descriptors, descriptors + slack + kept, patience);
    expect(after, "descriptors").toBeLessThanOrEqual(descriptors + slack + kept);
    const heapAfter = await leastHeap(watch, (heap ?? 0) + heapGrowth, patience);
    if (heap !== undefined) expect(heapAfter, "MiB of heap").toBeLessThan(heap + heapGrowth);
    expect(watch.memory, "MiB of memory").toBeLessThan(memory + memoryGrowth);
    await neighbours.stop();
    await annotate(
      `${runtime}: ${rounds * connections} connections vanished; descriptors ${descriptors} to ${after}, memory ${memory.toFixed(0)} to ${watch.memory.toFixed(0)} MiB, heap ${heap?.toFixed(1)} to ${heapAfter?.toFixed(1)}; ${served} rounds of the neighbours`,
    );
  } finally {
    await running.stop();
  }
});
