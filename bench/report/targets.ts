/** Edgewire's targets compared with bare, and whether a result reaches them. */
import type { Comparison } from "./comparison.ts";
import type { Row } from "./results.ts";
import type { Spread } from "../measure/statistics.ts";

export interface Target {
  readonly value: number;
  /** Whether `value` is a minimum; otherwise it is a maximum. */
  readonly least: boolean;
  /** The figure in Edgewire's row to which the target applies. */
  of(row: Row): Spread | undefined;
  /** The unit in which it is shown, in units of `of`. */
  readonly unit: number;
  /** The unit for readers, unless it is a ratio of CPU. */
  readonly shown?: string;
}

const cpu = (value: number): Target => ({ value, least: true, of: ({ ratio }) => ratio, unit: 1 });

/** The targets of a comparison, possibly none. */
export function targetsOf({ runtime, mode, connections, inflight }: Comparison): readonly Target[] {
  const node = runtime === "node";
  switch (mode) {
    case "echo":
      return [cpu(node && inflight > 1 ? 2.3 : 0.97)];
    case "fanout":
      return [cpu(!node ? 1 : inflight > 1 && connections <= 100 ? 10 : 1.3)];
    case "connect":
      return [cpu(0.95)];
    case "idle":
      return [{ value: 1, least: false, of: ({ over }) => over, unit: 1024, shown: "KiB over bare" }];
    case "latency":
      return [
        { value: 1.05, least: false, of: ({ p50Ratio }) => p50Ratio, unit: 1, shown: "p50 × bare's" },
        { value: 1.05, least: false, of: ({ p99Ratio }) => p99Ratio, unit: 1, shown: "p99 × bare's" },
      ];
    case "wake":
      return [{ value: 1.3, least: false, of: ({ ratio }) => ratio, unit: 1, shown: "CPU × bare's" }];
    default:
      return [];
  }
}

/** "open": the median misses the target, but the confidence interval includes it. */
export type Verdict = "met" | "open" | "missed";

export function verdict({ value, least, of, unit }: Target, row: Row): Verdict {
  const found = of(row);
  if (found === undefined) return "missed";
  // Compared with the precision that is shown.
  const reaches = (one: number): boolean => (least ? Number((one / unit).toFixed(2)) >= value : Number((one / unit).toFixed(2)) <= value);
  if (reaches(found.median)) return "met";
  const best = least ? (found.to ?? found.median) : (found.from ?? found.median);
  return reaches(best) ? "open" : "missed";
}
