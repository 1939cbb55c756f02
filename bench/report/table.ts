/** A mode's columns, for the terminal and for docs/maintainers/performance.md. */
import type { Mode } from "./comparison.ts";
import type { Row } from "./results.ts";
import type { Spread } from "../measure/statistics.ts";

export interface Column {
  readonly title: string;
  cell(row: Row): string;
}

export function columns(mode: Mode): readonly Column[] {
  switch (mode) {
    case "idle":
      return [
        { title: "KiB a connection", cell: ({ memory }) => kibibytes(memory) },
        { title: "over bare, KiB", cell: ({ over }) => kibibytes(over) },
      ];
    case "wake":
      return [
        { title: "CPU to wake, ms", cell: ({ wake }) => within(wake, 1) },
        { title: "× bare", cell: ({ ratio }) => within(ratio, 2) },
      ];
    case "slow":
      return [
        { title: "memory, all read", cell: ({ reading }) => signed(reading?.grown, "MiB") },
        { title: "one never reads", cell: ({ deaf }) => signed(deaf?.grown, "MiB") },
        { title: "the others' latency, all read", cell: ({ reading }) => `${within(reading?.latency, 1)} ms` },
        { title: "one never reads", cell: ({ deaf }) => `${within(deaf?.latency, 1)} ms` },
        { title: "99 %", cell: ({ reading, deaf }) => `${fixed(reading?.p99, 1)}, ${fixed(deaf?.p99, 1)} ms` },
      ];
    case "latency":
      return [
        { title: "p50", cell: ({ p50 }) => microseconds(p50) },
        { title: "× bare", cell: ({ p50Ratio }) => within(p50Ratio, 2) },
        { title: "p99", cell: ({ p99 }) => microseconds(p99) },
        { title: "× bare", cell: ({ p99Ratio }) => within(p99Ratio, 2) },
        ...costs("message"),
      ];
    default:
      return [
        { title: mode === "connect" ? "connections" : "messages", cell: ({ rate }) => perSecond(rate) },
        ...costs(mode === "connect" ? "connection" : "message"),
      ];
  }
}

function costs(unit: string): readonly Column[] {
  return [
    { title: `CPU a ${unit}`, cell: ({ cpu }) => microseconds(cpu) },
    { title: "bare's CPU / its own", cell: ({ ratio }) => within(ratio, 2) },
    { title: "generator's core", cell: ({ load }) => percent(load) },
  ];
}

/** For people at a terminal: aligned, with a warning where the load generator may be what was measured. */
export function print(mode: Mode, rows: readonly Row[]): string {
  const shown = columns(mode);
  const lines = [["", ...shown.map(({ title }) => title)], ...rows.map((row) => [row.name, ...cells(shown, row)])];
  const widths = lines[0]!.map((_, column) =>
    Math.max(...lines.map((line) => (line.length === lines[0]!.length ? line[column]!.length : 0))),
  );
  widths[0] = Math.max(...rows.map(({ name }) => name.length));
  const table = lines.map((line) => line.map((cell, at) => (at === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[at]!))).join("  "));
  return [...table, ...saturated(rows)].join("\n");
}

/** One cell that says why, or all of them. */
export function cells(shown: readonly Column[], row: Row): readonly string[] {
  return row.absent === undefined ? shown.map(({ cell }) => cell(row)) : [`– ${row.absent}`];
}

export function saturated(rows: readonly Row[]): readonly string[] {
  const names = rows.filter(({ load = 0 }) => load > 0.9).map(({ name }) => name);
  if (names.length === 0) return [];
  return [
    `The load generator used more than 90 % of its core against ${names.join(" and ")}: the generator may limit that rate. CPU is still the server's.`,
  ];
}

export function microseconds(nanoseconds: number | undefined): string {
  return nanoseconds === undefined ? "" : `${(nanoseconds / 1000).toFixed(nanoseconds < 100_000 ? 2 : 0)} µs`;
}

function perSecond(rate: number | undefined): string {
  return rate === undefined ? "" : `${Math.round(rate).toLocaleString("en")}/s`;
}

function percent(share: number | undefined): string {
  return share === undefined ? "" : `${Math.round(share * 100)} %`;
}

function kibibytes(bytes: Spread | undefined): string {
  return bytes === undefined ? "" : within({ low: bytes.low / 1024, median: bytes.median / 1024, high: bytes.high / 1024 }, 2);
}

function within(values: Spread | undefined, digits: number): string {
  if (values === undefined) return "";
  if (values.low === values.high) return values.median.toFixed(digits);
  return `${values.median.toFixed(digits)} (${values.low.toFixed(digits)} to ${values.high.toFixed(digits)})`;
}

function fixed(value: number | undefined, digits: number): string {
  return value === undefined ? "" : value.toFixed(digits);
}

function signed(value: number | undefined, unit: string): string {
  return value === undefined ? "" : `${value < 0 ? "" : "+"}${value.toFixed(0)} ${unit}`;
}
