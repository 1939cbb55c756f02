/** Chooses the figures of a mode that the chart shows. */
import { titleOf, type Mode } from "./comparison.ts";
import { isPeer, type Runtime } from "../servers/contenders.ts";
import type { Bar, Chart } from "./chart.ts";
import type { Result, Row } from "./results.ts";
import { microseconds } from "./table.ts";

export const names: Readonly<Record<Runtime, string>> = {
  node: "Node",
  bun: "Bun",
  deno: "Deno",
  workers: "Workers (plain)",
  durable: "Durable Object (hibernating)",
};

const notes: Readonly<Record<Mode, string>> = {
  echo: "Messages for the same CPU, bare = 1 (the dashed line). Longer is better; the thin line is the middle half of the rounds.",
  fanout: "Deliveries for the same CPU, bare = 1 (the dashed line). Longer is better; the thin line is the middle half of the rounds.",
  connect: "Connections for the same CPU, bare = 1 (the dashed line). Longer is better; the thin line is the middle half of the rounds.",
  latency: "Median of the round trips. Shorter is better.",
  idle: "KiB of server memory for each connection, in addition to that of bare. Shorter is better.",
  slow: "Milliseconds from a publish to its receipt by the other readers, median. Shorter is better.",
  wake: "Milliseconds of CPU. Shorter is better.",
};

/** @param results of one subject, one for each runtime. */
export function chartOf(results: readonly Result[]): Chart {
  const { comparison } = results[0]!;
  const { mode } = comparison;
  const compares = mode === "echo" || mode === "fanout" || mode === "connect";
  return {
    title: titleOf(comparison),
    note: notes[mode],
    groups: results.map((result) => ({ name: names[result.comparison.runtime], bars: result.rows.flatMap((row) => bars(mode, row)) })),
    ...(compares ? { reference: 1 } : {}),
  };
}

function bars(mode: Mode, row: Row): readonly Bar[] {
  const kind = row.name === "edgewire" ? "edgewire" : isPeer(row.name) ? "peer" : "bare";
  const bar = { label: row.name, kind, value: undefined, text: "– (see the table)" } as const;
  if (row.absent !== undefined) return [bar];
  const { ratio, p50, p99, memory, over, wake, reading, deaf } = row;
  if (mode === "latency" && p50 !== undefined) return [{ ...bar, value: p50, text: `${microseconds(p50)} (99 %: ${microseconds(p99)})` }];
  if (mode === "idle" && over && memory) {
    const taken = (memory.median / 1024).toFixed(1);
    // Avoids "-0.0".
    const more = (over.median / 1024).toFixed(1).replace(/^-(?=0\.0$)/, "");
    const quartiles = { low: over.low / 1024, high: over.high / 1024 };
    return [
      {
        ...bar,
        value: over.median / 1024,
        ...quartiles,
        text: row.name === "bare" ? `0 (${taken} in total)` : `${more} (${taken} in total)`,
      },
    ];
  }
  if (mode === "wake" && wake)
    return [{ ...bar, value: wake.median, low: wake.low, high: wake.high, text: `${wake.median.toFixed(1)} ms` }];
  if (mode === "slow" && reading && deaf) {
    const policy = /^"(\w+)"/.exec(row.name)?.[1] ?? row.name;
    const one = (how: string, as: Bar["kind"], { latency }: typeof reading): Bar => {
      return {
        kind: as,
        label: `${policy}, ${how}`,
        value: latency.median,
        low: latency.low,
        high: latency.high,
        text: `${latency.median.toFixed(1)} ms`,
      };
    };
    return [one("all read", "bare", reading), one("one does not", "edgewire", deaf)];
  }
  if (ratio) return [{ ...bar, value: ratio.median, low: ratio.low, high: ratio.high, text: ratio.median.toFixed(2) }];
  return [bar];
}
