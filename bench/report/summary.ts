/** The page's first table: Edgewire compared with bare on all runtimes, and which targets it misses. */
import { names } from "./charts.ts";
import { subjectKey, titleOf } from "./comparison.ts";
import { runtimes } from "../servers/contenders.ts";
import type { Result, Row } from "./results.ts";
import { targetsOf, verdict, type Target } from "./targets.ts";

export function summary(results: readonly Result[]): string {
  const subjects = Map.groupBy(results, ({ comparison }) => subjectKey(comparison));
  const rows = [...subjects.values()].flatMap((of) =>
    targetsOf(of[0]!.comparison).flatMap((target, index) => {
      const line = (title: string, show: (result: Result | undefined) => string): string => {
        const cells = runtimes.map((runtime) => show(of.find(({ comparison }) => comparison.runtime === runtime)));
        return `| ${title} | ${cells.join(" | ")} |`;
      };
      const { shown } = target;
      const own = line(`${titleOf(of[0]!.comparison)}${shown === undefined ? "" : ` (${shown})`}`, (result) => cell(result, index));
      if (!of.some((result) => rowOf(result, "asking") !== undefined)) return [own];
      return [
        own,
        line("↳ the same for `asking` (bare, with what the contract needs)", (result) => figure(target, rowOf(result, "asking")) ?? "–"),
      ];
    }),
  );
  return `## Edgewire compared with bare

Messages, deliveries or connections for the same CPU, bare = 1: more is better. If a unit is given, less is better.
✗ marks a missed target, followed by the target. ~ marks a target that the median misses, but that lies within its 95 % confidence interval.

| | ${runtimes.map((runtime) => names[runtime]).join(" | ")} |
|---|${"---|".repeat(runtimes.length)}
${rows.join("\n")}
`;
}

/** @param index of the target among those of the comparison. */
function cell(result: Result | undefined, index: number): string {
  const row = rowOf(result, "edgewire");
  const target = result && targetsOf(result.comparison)[index];
  const reached = target && figure(target, row);
  if (row === undefined || target === undefined || reached === undefined) return "–";
  const said = verdict(target, row);
  return said === "met" ? reached : `${reached} ${said === "open" ? "~" : "✗"} ${target.value}`;
}

function rowOf(result: Result | undefined, name: string): Row | undefined {
  return result?.rows.find((row) => row.name === name);
}

function figure(target: Target, row: Row | undefined): string | undefined {
  const found = row && target.of(row);
  return found && (found.median / target.unit).toFixed(2);
}
