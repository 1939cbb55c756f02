/**
 * A server of each runtime under every kind of client, good and bad, for as long as `SOAK_MINUTES` says: `npm run campaign:soak` takes an hour, and
 * writes docs/maintainers/soak.md. Memory must be flat: what is in use after a collection at the end is what it was after the first tenth. Short in `npm test`.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { open, type PlaceName } from "../crowd/place.ts";
import { Random } from "../fuzz/random.ts";
import { settle, Watch } from "../fuzz/watch.ts";
import { leastHeap } from "./heap.ts";
import { record, recorded, type Sample } from "./hour/record.ts";
import { countOpen, session } from "./hour/session.ts";

const minutes = Number(process.env["SOAK_MINUTES"] ?? 0.1);
const seed = Number(process.env["SOAK_SEED"] ?? 1);
/** Clients at a time, and milliseconds between two of one: a machine that does nothing else for an hour is not needed. */
const [width, pause] = [12, 100];
/** MiB by which the heap in use may have grown. */
const heapGrowth = 4;
/** MiB of resident memory, which allocators keep: of workerd, that tells of no heap, all there is to go by. */
const memoryGrowth = 96;
/** Descriptors that a runtime may hold for its own purposes. */
const slack = 16;
const patience = 30_000;

const application = { folder: join(import.meta.dirname, "hour"), className: "Soak" };
const places: readonly PlaceName[] = ["node", "bun", "durable"];

test.concurrent.for(places)("%s", { timeout: minutes * 60_000 + 180_000 }, async (name, { annotate }) => {
  const place = await open(name, application);
  try {
    const watch = new Watch(place.port, name !== "durable");
    const random = new Random(seed);
    const begin = performance.now();
    const until = (part: number): number => begin + minutes * 60_000 * part;
    const samples: Sample[] = [];
    let sessions = 0;
    /** Once everything has ended: what stays then, stays. */
    const sample = async (enough = Number.POSITIVE_INFINITY): Promise<Sample> => {
      const descriptors = await settle(() => watch.descriptors, (samples[0]?.descriptors ?? 0) + slack, 2000);
      const heap = await leastHeap(watch, enough, patience);
      const left = await countOpen(place.port);
      return { minute: (performance.now() - begin) / 60_000, sessions, heap, memory: watch.memory, descriptors, open: left };
    };
    const run = async (end: number): Promise<void> => {
      await Promise.all(
        Array.from({ length: width }, async () => {
          while (performance.now() < end) {
            // Of a reset in that moment workerd tells nobody: P30 of docs/maintainers/contract.md.
            await session(place.port, random, name !== "durable");
            sessions++;
            await sleep(pause);
          }
        }),
      );
    };
    const parts = minutes >= recorded ? 10 : 2;
    for (let part = 1; part <= parts; part++) {
      await run(until(part / parts));
      const heap = samples[0]?.heap;
      const taken = await sample(heap === undefined ? undefined : heap + heapGrowth);
      samples.push(taken);
      if (minutes >= recorded) console.log(`${name}: ${JSON.stringify(taken)}`);
    }
    const [first, last] = [samples[0]!, samples.at(-1)!];
    const descriptors = await settle(() => watch.descriptors, first.descriptors + slack, patience);
    expect(descriptors, "descriptors").toBeLessThanOrEqual(first.descriptors + slack);
    // A client that leaves with its 101 unread resets, which workerd does not always report: P30 of docs/maintainers/contract.md.
    const most = name === "durable" ? Math.ceil(sessions / 20_000) : 0;
    const left = await settle(() => countOpen(place.port), most, patience);
    expect(left, "connections of clients that have left").toBeLessThanOrEqual(most);
    if (first.heap !== undefined) expect(last.heap, "MiB of heap").toBeLessThan(first.heap + heapGrowth);
    if (minutes >= recorded) expect(last.memory, "MiB of memory").toBeLessThan(first.memory + memoryGrowth);
    await annotate(`${name}: ${sessions} clients in ${minutes} minutes; heap ${first.heap?.toFixed(1)} to ${last.heap?.toFixed(1)} MiB`);
    if (minutes >= recorded) record(name, seed, samples);
  } finally {
    await place.stop();
  }
});
