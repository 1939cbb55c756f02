/** How many bytes of heap this process uses after a collection; its command has the flag that exposes `gc`. */
import process from "node:process";

declare const gc: (() => void) | undefined;

export function heap(): Response {
  if (typeof gc !== "function") throw new Error("start it with --expose-gc");
  gc();
  return Response.json(process.memoryUsage().heapUsed);
}
