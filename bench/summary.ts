/** The page's first table: Edgewire beside bare, everywhere, and where it misses what it is meant to reach. */
import { names } from "./charts.ts";
import { subjectKey, titleOf } from "./comparison.ts";
import { runtimes } from "./contenders.ts";
import type { Result } from "./results.ts";
import { targetsOf, verdict } from "./targets.ts";

export function summary(results: readonly Result[]): string {
  const subjects = Map.groupBy(results, ({ comparison }) => subjectKey(comparison));
  const rows = [...subjects.values()].flatMap((of) =>
    targetsOf(of[0]!.comparison).map(({ shown }, index) => {
      const cells = runtimes.map((runtime) =>
        cell(
          of.find(({ comparison }) => comparison.runtime === runtime),
          index,
        ),
      );
      return `| ${titleOf(of[0]!.comparison)}${shown === undefined ? "" : ` (${shown})`} | ${cells.join(" | ")} |`;
    }),
  );
  return `## Edgewire beside bare

Messages, deliveries or connections for the same CPU, bare = 1: more is better. Where a unit is given, less is better.
✗ marks a target that is missed, and says it; ~ one that the median misses by less than it is known to (its 95 % interval holds the target).

| | ${runtimes.map((runtime) => names[runtime]).join(" | ")} |
|---|${"---|".repeat(runtimes.length)}
${rows.join("\n")}
`;
}

/** @param index of the comparison's targets. */
function cell(result: Result | undefined, index: number): string {
  const row = result?.rows.find(({ name }) => name === "edgewire");
  const target = result && targetsOf(result.comparison)[index];
  if (row === undefined || target === undefined) return "–";
  const found = target.of(row);
  if (found === undefined) return "–";
  const reached = (found.median / target.unit).toFixed(2);
  const said = verdict(target, row);
  return said === "met" ? reached : `${reached} ${said === "open" ? "~" : "✗"} ${target.value}`;
}
