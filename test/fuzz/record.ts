/** Writes a long run's row of a table in docs/maintainers/fuzz.md. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Served } from "../support/runtimes.ts";
import type { Report } from "./attackers.ts";
import { mebibytes } from "./campaign.ts";

const page = join(import.meta.dirname, "../../docs/maintainers/fuzz.md");
const runtimes: readonly Served[] = ["node", "attached", "hono", "bun", "deno", "workers", "durable"];

/** Each between markers of its name; a run of so many seconds is worth a row. */
const tables = { runs: 600, pipelines: 60 };
export type Table = keyof typeof tables;

const columns = [
  "",
  "seed",
  "seconds",
  "connections",
  "accepted",
  "refused",
  "resets",
  "frames",
  "neighbours' rounds",
  "heap",
  "memory",
  "descriptors",
];

/** Rows keep the runtimes' order; a runtime's row of an earlier run is replaced. */
export function record(table: Table, runtime: Served, seed: number, seconds: number, report: Report): void {
  if (seconds < tables[table]) return;
  const [begin, end] = [`<!-- ${table} -->\n`, `<!-- /${table} -->`];
  const text = readFileSync(page, "utf8");
  const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
  if (from < begin.length || to < from) throw new Error(`docs/maintainers/fuzz.md lacks the markers of its table ${table}`);
  const kept = text
    .slice(from, to)
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith(`| ${runtime} |`))
    .slice(2);
  const rows = [...kept, row(rowOf(runtime, seed, seconds, report))].sort((a, b) => place(a) - place(b));
  writeFileSync(page, text.slice(0, from) + [row(columns), row(columns.map(() => "---")), ...rows, ""].join("\n") + text.slice(to));
}

function rowOf(runtime: Served, seed: number, seconds: number, report: Report): string[] {
  const { connections, accepted, refused, resets, frames, rounds, heap, memory, descriptors } = report;
  const change = (values: readonly (number | undefined)[]): string => values.map(mebibytes).join(" → ");
  const counts = [seed, seconds, connections, accepted, refused, resets, frames, rounds].map(String);
  return [runtime, ...counts, change(heap), change(memory), descriptors.join(" → ")];
}

const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const place = (line: string): number => runtimes.indexOf(line.split(" | ")[0]!.slice(2) as Served);
