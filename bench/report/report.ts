/** docs/maintainers/performance.md and its charts, from all results that there are. */
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

const docs = join(import.meta.dirname, "../../docs/maintainers");
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

This page is for maintainers: it compares Edgewire with the bare runtime and with other libraries, on the same work, in the same minutes. \`npm run bench -- --write\` writes it from \`bench/results/\`. To use Edgewire, start with the [README](../../README.md).

## How it is measured

- The server runs on one core, the client on another. All servers of a comparison run at once and take turns in short slices, in another order each round, so whatever else the machine does affects all of them.
- Each server is started ${starts} times, each time for its share of the rounds. Two processes of the same server differ by up to a tenth in what a message costs (where their memory lies, what their compiler saw first), as long as they run.
- The measure is CPU time: how long the server's threads were on a core (from Linux), divided by messages. Ratios are to bare in the same round. The figure is the median of the rounds; the brackets hold their middle half.
- The load generator checks the content, length, type and order of every message. It is ${generatorText(results)}. "Generator's core" is the share of time in which it had something to do. Above 90 % it may limit the rate itself, and the page says so.
- Every server runs with its own defaults and its own checks. Bare does the least that works.
- \`Connect\` sends what a browser sends: an Origin, a cookie, an offer of compression and five headers more.
- \`Idle\` is the growth of the server's private memory for each connection, after the server has collected its garbage and returned spare memory (V8's \`last-resort\`): the slope over nine sizes, from 1,000 connections to that many more.

${machines(results)}

| | versions |
|---|---|
${versionRows(results).join("\n")}

| | what it is | not measured on |
|---|---|---|
${who().join("\n")}

\`npm run bench -- --help\` lists the flags; \`npm run bench -- --all --minutes 40 --write\` measures everything again.
`;
}

function generatorText(results: readonly Result[]): string {
  const used = new Set(results.map(({ generator }) => generator));
  return used.has("bun")
    ? "a program in C, or Bun's client where there is no compiler"
    : "a program in C (`bench/load/load.c`) that asks epoll without sleeping, because a server on the same machine would pay for waking it";
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

Each entry point with everything of Edgewire that it needs, minified by esbuild and gzipped, in kB of 1000 bytes. Not counted are packages that an application brings itself (\`ws\`, Hono, …).
A bundle above its budget (\`.size-limit.js\`) fails the tests.

| | kB | budget |
|---|---:|---:|
${rows.join("\n")}

\`npm run build && npm run size\`
`;
}

function kilobytes(bytes: number): string {
  return (bytes / 1000).toFixed(1);
}

/** The command that measures it again. */
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
