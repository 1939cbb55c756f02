/** Writes docs/performance.md and its charts from all stored results. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { draw, describe } from "./chart.ts";
import { chartOf, names } from "./charts.ts";
import { impossible, subjectKey, titleOf } from "./comparison.ts";
import { absence, described, runtimes } from "../servers/contenders.ts";
import { starts } from "../measure/measure.ts";
import { load, type Result } from "./results.ts";
import { sizes } from "../measure/size.ts";
import { summary } from "./summary.ts";
import { cells, columns, saturated } from "./table.ts";

const docs = join(import.meta.dirname, "../../docs");
const folder = join(docs, "performance");

export function report(): string {
  const results = load();
  const subjects = Map.groupBy(results, ({ comparison }) => subjectKey(comparison));
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) if (name.endsWith(".svg")) rmSync(join(folder, name));
  const sections = [...subjects].map(([key, of]) => {
    const sorted = of.toSorted((a, b) => runtimes.indexOf(a.comparison.runtime) - runtimes.indexOf(b.comparison.runtime));
    writeFileSync(join(folder, `${key}.svg`), draw(chartOf(sorted)));
    return section(key, sorted);
  });
  const file = join(docs, "performance.md");
  writeFileSync(file, [head(results), summary(results), ...sections, sizeSection()].join("\n"));
  return file;
}

function head(results: readonly Result[]): string {
  return `# Performance

Edgewire compared with the bare runtime and other libraries, doing the same work at the same time. \`npm run bench -- --write\` generates this page from \`bench/results/\`.

## How it is measured

- The server runs on one core, the client on another. All servers of a comparison run at the same time and take turns in short slices, in a different order each round, so other load on the machine affects all of them.
- Each server is started ${starts} times, each time for its share of the rounds. Two processes of the same server differ by up to a tenth in CPU per message, for as long as they run, depending on memory layout and on what the compiler saw first.
- The measure is CPU: the time that the server's threads ran on a core (from Linux), divided by the number of messages. Ratios are to bare in the same round. The figure is the median of all rounds, with their middle half in brackets.
- The load generator checks the content, length, type and order of every message. It is ${generatorText(results)}. "Generator's core" is the share of the time in which it was busy. Above 90 % the generator would limit the rate, and the page says so.
- Every server uses its own defaults and its own checks. Bare does the minimum that works.
- \`Connect\` sends what a browser sends: an Origin, a cookie, an offer of compression and five more headers.
- \`Idle\` is the growth of the server's private memory with each connection, after it has collected garbage and released its reserves (V8's \`last-resort\`): the slope over nine sizes, from 1,000 connections to that many more.

${machines(results)}

| | versions |
|---|---|
${versionRows(results).join("\n")}

| | what it is | not available on |
|---|---|---|
${who().join("\n")}

\`npm run bench -- --help\` lists the flags; \`npm run bench -- --all --minutes 40 --write\` repeats all measurements.
`;
}

function generatorText(results: readonly Result[]): string {
  const used = new Set(results.map(({ generator }) => generator));
  return used.has("bun")
    ? "a program in C, or Bun's client if there is no compiler"
    : "a program in C (`bench/load/load.c`) that polls epoll without sleeping, because a server on the same machine would pay for waking it";
}

function machines(results: readonly Result[]): string {
  const all = Map.groupBy(results, ({ machine }) => machine);
  return [...all]
    .map(([machine, of]) => {
      const dates = of.map(({ date }) => date).toSorted();
      const when = dates[0] === dates.at(-1) ? dates[0] : `${dates[0]} to ${dates.at(-1)}`;
      return `Measured on ${when}, on ${machine}.`;
    })
    .join("\n");
}

function versionRows(results: readonly Result[]): readonly string[] {
  return runtimes.flatMap((runtime) => {
    const found: Record<string, Set<string>> = {};
    for (const { comparison, versions } of results) {
      if (comparison.runtime !== runtime) continue;
      for (const [name, version] of Object.entries(versions)) (found[name] ??= new Set()).add(version);
    }
    const listed = Object.entries(found).map(([name, all]) => `${name} ${[...all].join(", ")}`);
    return listed.length === 0 ? [] : [`| ${names[runtime]} | ${listed.join(" · ")} |`];
  });
}

function who(): readonly string[] {
  return Object.entries(described).map(([name, what]) => {
    const reasons = Map.groupBy(
      runtimes.filter((runtime) => absence(name, runtime) !== undefined),
      (runtime) => absence(name, runtime)!,
    );
    return `| ${name} | ${what} | ${[...reasons].map(([reason, on]) => `${on.map((runtime) => names[runtime]).join(", ")}: ${reason}`).join("; ")} |`;
  });
}

function section(key: string, results: readonly Result[]): string {
  const { comparison, pace } = results[0]!;
  const shown = columns(comparison.mode);
  const chart = chartOf(results);
  const rows = results.flatMap((result) =>
    result.rows.map((row, index) => {
      const line = cells(shown, row);
      const padded = [...line, ...Array.from({ length: shown.length - line.length }, () => "")];
      return `| ${[index === 0 ? names[result.comparison.runtime] : "", row.name === "edgewire" ? "**edgewire**" : row.name, ...padded].join(" | ")} |`;
    }),
  );
  const missing = runtimes.flatMap((runtime) => {
    const reason = impossible(runtime, comparison.mode);
    return reason === undefined ? [] : `| ${names[runtime]} | – ${reason} |${" |".repeat(shown.length)}`;
  });
  const warnings = results.flatMap((result) => saturated(result.rows).map((text) => `${names[result.comparison.runtime]}: ${text}\n`));
  return `
## ${titleOf(comparison)}

![${describe(chart.groups).replaceAll(/[[\]]/g, "")}](performance/${key}.svg)

| | | ${shown.map(({ title }) => title).join(" | ")} |
|---|---|${"---:|".repeat(shown.length)}
${[...rows, ...missing].join("\n")}

${warnings.map((text) => `${text}\n`).join("")}\`npm run bench -- ${flags(results[0]!)}\`, ${pace}.
`;
}

function sizeSection(): string {
  const rows = sizes().map(({ name, size, sizeLimit }) => `| ${name} | ${kilobytes(size)} | ${kilobytes(sizeLimit)} |`);
  return `
## Size

Each entry point with all of Edgewire that it needs, minified by esbuild and gzipped, in kB of 1000 bytes. Packages that the application installs itself (\`ws\`, Hono, …) are not included.
A bundle that exceeds its budget (\`.size-limit.js\`) fails the tests.

| | kB | budget |
|---|---:|---:|
${rows.join("\n")}

\`npm run build && npm run size\`
`;
}

function kilobytes(bytes: number): string {
  return (bytes / 1000).toFixed(1);
}

/** The flags that repeat the measurement. */
function flags({ comparison: { mode, connections, inflight, bytes, type } }: Result): string {
  const numbers = { connections, inflight, bytes, type };
  return [
    `--runtime … --mode ${mode}`,
    ...Object.entries(numbers)
      .filter(([name]) => matters(mode, name))
      .map(([name, value]) => `--${name} ${value}`),
  ].join(" ");
}

function matters(mode: string, name: string): boolean {
  if (mode === "connect") return name === "inflight";
  if (mode === "idle" || mode === "wake" || mode === "slow") return name === "connections";
  return mode !== "latency" || name === "bytes" || name === "type";
}
