/** Writes a long soak's rows of docs/maintainers/soak.md. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PlaceName } from "../../crowd/place.ts";

export interface Sample {
  readonly minute: number;
  /** Clients so far. */
  readonly sessions: number;
  /** MiB after a collection; undefined on workerd, which has no way to ask. */
  readonly heap: number | undefined;
  /** MiB resident. */
  readonly memory: number;
  readonly descriptors: number;
  /** Connections that the server still had, right after the clients had left. */
  readonly open: number;
}

/** Minutes from which on a run is worth a row. */
export const recorded = 10;

const page = join(import.meta.dirname, "../../../docs/maintainers/soak.md");

/** Replaces the runtime's part of the page. */
export function record(name: PlaceName, seed: number, samples: readonly Sample[]): void {
  const [begin, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
  const text = readFileSync(page, "utf8");
  const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
  if (from < begin.length || to < from) throw new Error(`docs/maintainers/soak.md lacks the markers of ${name}`);
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  const last = samples.at(-1)!;
  const about = `${last.sessions} clients in ${Math.round(last.minute)} minutes, seed ${seed}, commit ${commit}, ${new Date().toISOString().slice(0, 10)}.`;
  const rows = [
    ["minute", ...samples.map(({ minute }) => Math.round(minute))],
    ["---", ...samples.map(() => "---")],
    ["heap, MiB", ...samples.map(({ heap }) => heap?.toFixed(1) ?? "unknown"), line(samples.map(({ heap }) => heap ?? 0))],
    ["resident, MiB", ...samples.map(({ memory }) => memory.toFixed(0)), line(samples.map(({ memory }) => memory))],
    ["connections left", ...samples.map(({ open }) => open), ""],
    ["descriptors", ...samples.map(({ descriptors }) => descriptors), line(samples.map(({ descriptors }) => descriptors))],
  ];
  const table = rows.map((cells, index) => `| ${[...cells, ...(index === 0 ? [""] : index === 1 ? ["---"] : [])].join(" | ")} |`);
  writeFileSync(page, `${text.slice(0, from)}${about}\n\n${table.join("\n")}\n${text.slice(to)}`);
}

/** As a curve from zero: flat is flat. */
function line(values: readonly number[]): string {
  const most = Math.max(1, ...values);
  return values.map((value) => "▁▂▃▄▅▆▇█"[Math.round((7 * value) / most)]).join("");
}
