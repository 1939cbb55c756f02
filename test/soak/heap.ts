import { setTimeout as sleep } from "node:timers/promises";
import type { Watch } from "../fuzz/watch.ts";

/** What a storm left is let go in its own time: closing deadlines, a log that is still to be written. */
export async function leastHeap(watch: Watch, enough: number, patience: number): Promise<number | undefined> {
  const deadline = Date.now() + patience;
  for (;;) {
    const heap = await watch.heap();
    if (heap === undefined || heap < enough || Date.now() > deadline) return heap;
    await sleep(200);
  }
}
