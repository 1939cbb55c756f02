import type { Served } from "../../support/runtimes.ts";
import type { Plan } from "./plan.ts";

/** See `losesClose` in test/fuzz/limits.ts: only a client that goes politely is certain to be told of by an object. */
export function losesClose(runtime: Served, plan: Plan): boolean {
  const first = plan.segments.findIndex(({ type }) => type === "handshake");
  if (runtime !== "durable" || first < 0) return false;
  const polite =
    plan.segments.slice(first + 1).every(({ type }) => type === "frames") && (plan.finale === "settle" || plan.finale === "hold");
  return !polite;
}

export function keptDescriptors(runtime: Served, plan: Plan): number {
  if (runtime === "deno") return plan.segments.some(({ type }) => type === "handshake") ? 1 : 0;
  // Node's handshakes are not read while an app decides, and one that never does is given up after a minute (adapters/node/http/wait.ts).
  if (runtime !== "durable") return plan.segments.some(({ type, fate }) => type === "handshake" && fate === "endless") ? 1 : 0;
  return losesClose(runtime, plan) ? 2 : 0;
}
