/** What Edgewire is meant to reach beside bare, and whether a result does. */
import type { Comparison } from "./comparison.ts";
import type { Row } from "./results.ts";

export interface Target {
  readonly value: number;
  /** Whether more is better: then it is the least, otherwise the most. */
  readonly least: boolean;
  /** What it is about, in a row of Edgewire's. */
  of(row: Row): number | undefined;
}

const cpu = (value: number): Target => ({ value, least: true, of: ({ ratio }) => ratio?.median });

/** Undefined where nothing was set. */
export function targetOf({ runtime, mode, connections, inflight }: Comparison): Target | undefined {
  const node = runtime === "node";
  switch (mode) {
    case "echo":
      return cpu(node && inflight > 1 ? 2.3 : 0.97);
    case "fanout":
      return cpu(!node ? 1 : inflight > 1 && connections <= 100 ? 10 : 1.3);
    case "connect":
      return cpu(0.95);
    case "idle":
      return { value: 1, least: false, of: ({ over }) => over && over.median / 1024 };
    case "latency":
      return { value: 1.05, least: false, of: ({ p50Ratio }) => p50Ratio?.median };
    case "wake":
      return { value: 1.3, least: false, of: ({ ratio }) => ratio?.median };
    default:
      return undefined;
  }
}

/** As precisely as it is shown. */
export function met({ value, least, of }: Target, row: Row): boolean {
  const reached = Number(of(row)?.toFixed(2) ?? Number.NaN);
  return least ? reached >= value : reached <= value;
}
