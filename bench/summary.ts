/** The page's first table: Edgewire beside bare, everywhere, and where it misses what it is meant to reach. */
import { names } from "./charts.ts";
import { subjectKey, titleOf } from "./comparison.ts";
import { runtimes } from "./contenders.ts";
import type { Result } from "./results.ts";
import { met, targetOf } from "./targets.ts";

const units: Partial<Record<string, string>> = { idle: " (KiB over bare)", latency: " (p50 × bare's)", wake: " (CPU × bare's)" };

export function summary(results: readonly Result[]): string {
  const subjects = Map.groupBy(
    results.filter(({ comparison }) => targetOf(comparison) !== undefined),
    ({ comparison }) => subjectKey(comparison),
  );
  const rows = [...subjects.values()].map((of) => {
    const cells = runtimes.map((runtime) => cell(of.find(({ comparison }) => comparison.runtime === runtime)));
    return `| ${titleOf(of[0]!.comparison)}${units[of[0]!.comparison.mode] ?? ""} | ${cells.join(" | ")} |`;
  });
  return `## Edgewire beside bare

Messages, deliveries or connections for the same CPU, bare = 1: more is better. Where a unit is given, less is better. ✗ marks a target that is missed, and says it.

| | ${runtimes.map((runtime) => names[runtime]).join(" | ")} |
|---|${"---|".repeat(runtimes.length)}
${rows.join("\n")}
`;
}

function cell(result: Result | undefined): string {
  const row = result?.rows.find(({ name }) => name === "edgewire");
  const target = result && targetOf(result.comparison);
  if (row === undefined || target === undefined) return "–";
  const reached = target.of(row)?.toFixed(2) ?? "–";
  return met(target, row) ? reached : `${reached} ✗ ${target.value}`;
}
