/**
 * Thousands of connections that open at once and are reset at once, on every runtime, beside good clients. Short by default: `npm run soak`
 * takes 10 000 of them (SOAK_RESETS), or as many as the machine has descriptors for: `ulimit -Hn`, and workerd takes two for each.
 */
import { expect, test } from "vitest";
import { Neighbours } from "../fuzz/neighbour.ts";
import { Random } from "../fuzz/random.ts";
import { settle, Watch } from "../fuzz/watch.ts";
import type { Entry } from "../support/log.ts";
import { processRuntimes, Running, type ProcessRuntime } from "../support/runtimes.ts";
import { leastHeap } from "./heap.ts";
import { Crowd, mostDescriptors } from "./crowd.ts";

const wanted = Number(process.env["SOAK_RESETS"] ?? 300);
/** MiB from before the first storm: code that was compiled, and less than 400 bytes a connection of the long run's two. */
const heapGrowth = 8;
/** Milliseconds until every close hook has run, and all is let go: Deno keeps a socket that was reset until its ping would be due, 20 s. */
const patience = 120_000;
/** Descriptors that a runtime may hold for its own purposes after work, whatever the number of connections. */
const slack = 16;
/** What the rest of the server, and of the test, may hold. */
const others = 400;

const onWorkerd = (runtime: ProcessRuntime): boolean => runtime === "workers" || runtime === "durable";

test.for(processRuntimes)("%s", { timeout: 600_000 }, async (runtime, { annotate }) => {
  const connections = Math.min(wanted, Math.floor((mostDescriptors() - others) / (onWorkerd(runtime) ? 2 : 1)));
  const running = await Running.start(runtime);
  const { port } = running.address("main")!;
  const storm = new Crowd(port, connections, target("resets"));
  const rush = new Crowd(port, connections, target("rush"));
  try {
    const watch = new Watch(port, !onWorkerd(runtime));
    const neighbours = await Neighbours.start({ port }, "resets-good", new Random(1), runtime === "workers");
    const [before, memory, heap] = [watch.descriptors, watch.memory, await watch.heap()];
    const beside = async <T>(attack: () => Promise<T>): Promise<T> => {
      const rounds = neighbours.rounds;
      const failed = neighbours.failed.then(() => Promise.reject(new Error("the neighbours have stopped")));
      const result = await Promise.race([attack(), failed]);
      expect(neighbours.rounds, "the neighbours were starved").toBeGreaterThan(rounds);
      running.assertAlive();
      return result;
    };
    const hooks = (tag: string, key: "hook" | "done", name: string): Entry[] =>
      running.log.entries.filter((entry) => entry.tag === tag && entry[key] === name);
    const closed = async (tag: string): Promise<number> => {
      // A client that has gone may be read long after: all that will open have when as many have closed, twice in a row.
      const open = hooks(tag, "hook", "open").length;
      const enough = (): true | undefined => (hooks(tag, "done", "close").length >= open ? true : undefined);
      await running.log.until(`${open} close hooks`, enough, patience);
      return hooks(tag, "hook", "open").length === open ? open : closed(tag);
    };
    const attack = async (times: number): Promise<void> => {
      expect(await storm.open(), "accepted").toBe(connections);
      const all = (): true | undefined => (hooks("resets", "done", "open").length >= times * connections ? true : undefined);
      await running.log.until("every open hook", all, patience);
      if (runtime !== "workers") expect(await ask(port, "rooms/resets/count")).toBe(connections);
      await storm.reset();
      await closed("resets");
    };

    await beside(() => attack(1));
    await beside(() => attack(2));
    const descriptors = await settle(() => watch.descriptors, before + slack, patience);
    expect(descriptors, "descriptors").toBeLessThanOrEqual(before + slack);
    const heapAfter = await leastHeap(watch, (heap ?? 0) + heapGrowth, patience);
    if (heap !== undefined) expect(heapAfter, "MiB of heap").toBeLessThan(heap + heapGrowth);

    const [opens, closes] = [hooks("resets", "hook", "open"), hooks("resets", "hook", "close")];
    expect([opens.length, closes.length]).toEqual([2 * connections, 2 * connections]);
    expect(new Set(closes.map(({ id }) => id)).size, "a close hook ran twice").toBe(2 * connections);
    expect(new Set(closes.map(({ code, initiator }) => `${code} ${initiator}`))).toEqual(new Set(["1006 network"]));
    if (runtime !== "workers") {
      expect(await ask(port, "rooms/resets/count")).toBe(0);
      expect(await ask(port, "rooms/resets/stats")).toMatchObject({ open: 0, buffered: 0, queued: 0 });
    }
    if (!onWorkerd(runtime)) {
      // The neighbours'.
      expect(await ask(port, "stats")).toMatchObject({ open: 3, opened: 3 + 2 * connections, closed: { 1006: 2 * connections } });
    }

    await beside(() => rush.rush());
    // Deno keeps the descriptor of a client that resets before it has its 101, workerd both ends of an object's socket (test/fuzz/limits.ts, P30).
    const keeps = runtime === "deno" ? 1 : runtime === "durable" ? 2 : 0;
    if (keeps === 0) await closed("rush");
    const last = await settle(() => watch.descriptors, before + slack + keeps * connections, patience);
    expect(last, "descriptors after the rush").toBeLessThanOrEqual(before + slack + keeps * connections);
    await neighbours.stop();
    await annotate(
      `${runtime}: twice ${connections} opened and reset at once; descriptors ${before} to ${descriptors}, memory ${memory.toFixed(0)} to ${watch.memory.toFixed(0)} MiB, heap ${heap?.toFixed(1)} to ${heapAfter?.toFixed(1)}; ` +
        `${connections} reset before their 101, of which ${hooks("rush", "hook", "open").length} opened and ${hooks("rush", "hook", "close").length} closed, descriptors ${last}; ${neighbours.rounds} rounds of the neighbours`,
    );
  } finally {
    storm.end();
    rush.end();
    await running.stop();
  }
});

function target(tag: string): string {
  return `/?${new URLSearchParams({ tag, peer: "1", room: tag, message: "[]" })}`;
}

async function ask(port: number, path: string): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}/${path}`, { headers: { connection: "close" } });
  return response.json();
}
