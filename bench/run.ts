/** `npm run bench -- --runtime node --mode echo`: see options.ts, or `npm run bench -- --help`. */
import { relative } from "node:path";
import { titleOf, type Comparison } from "./report/comparison.ts";
import { contenders, isPeer } from "./servers/contenders.ts";
import { idle } from "./measure/idle.ts";
import { measure, type Pace } from "./measure/measure.ts";
import { UsageError, parse, usage, type Options } from "./measure/options.ts";
import { installPeers } from "./servers/peers.ts";
import { profile } from "./measure/profile.ts";
import { machine, save, versions, type Result, type Row } from "./report/results.ts";
import { report } from "./report/report.ts";
import { compareWith } from "./servers/server.ts";
import { slow } from "./measure/slow.ts";
import { print } from "./report/table.ts";
import { wake } from "./measure/wake.ts";

try {
  const options = parse(process.argv.slice(2));
  if (options.help) console.log(usage);
  else await run(options);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

async function run(options: Options): Promise<void> {
  const { minutes, write, report: only } = options;
  if (options.before !== undefined && write)
    throw new UsageError("--before: can't be combined with --write; the page has no comparisons with another checkout");
  compareWith(options.before);
  const comparisons = only ? [] : options.comparisons;
  const begin = performance.now();
  for (const [index, comparison] of comparisons.entries()) {
    const number = comparisons.length > 1 ? `${index + 1}/${comparisons.length} ` : "";
    const label = `${number}${comparison.runtime}: ${titleOf(comparison)}`;
    const until = minutes === undefined ? Number.POSITIVE_INFINITY : begin + (minutes * 60_000 * (index + 1)) / comparisons.length;
    const pace = paceOf(comparison, options, until, (text) => progress(`${label}: ${text}`));
    const found = options.profile ? await profiles(comparison, options, pace) : await figures(comparison, options, pace);
    progress("");
    console.log(`${label}\n${found}\n`);
  }
  if (write || only) console.log(`written: ${relative(process.cwd(), report())}`);
}

async function figures(comparison: Comparison, options: Options, pace: Pace): Promise<string> {
  const result = await compare(comparison, participants(comparison, options), pace);
  if (options.write) save(result);
  return print(comparison.mode, result.rows);
}

async function profiles(comparison: Comparison, { servers = ["edgewire"] }: Options, pace: Pace): Promise<string> {
  if (servers.some(isPeer)) installPeers();
  const texts: string[] = [];
  for (const name of servers) texts.push(await profile(comparison, name, pace));
  return texts.join("\n\n");
}

/** The servers that take part: those of --servers, or all that the runtime has. Modes `wake` and `slow` compare only bare and Edgewire. */
function participants({ runtime, mode }: Comparison, { servers }: Options): readonly string[] {
  if (mode === "wake" || mode === "slow") return ["bare", "edgewire"];
  return servers ?? contenders(runtime, mode);
}

async function compare(comparison: Comparison, names: readonly string[], pace: Pace): Promise<Result> {
  if (names.some(isPeer)) installPeers();
  return {
    comparison,
    date: new Date().toISOString().slice(0, 10),
    machine: machine(),
    versions: versions(comparison.runtime, names),
    pace: `${pace.rounds} rounds${comparison.mode === "idle" || comparison.mode === "wake" ? "" : ` of ${pace.slice} ms`}`,
    generator: pace.generator,
    rows: await rowsOf(comparison, names, pace),
  };
}

function paceOf(comparison: Comparison, { rounds, slice, quick, generator }: Options, until: number, show: (text: string) => void): Pace {
  return { rounds: rounds ?? defaultRounds(comparison), slice, warmUp: quick ? 300 : 400, until, generator, progress: show };
}

/**
 * Many short slices, because the machine's other load changes all the time, and consecutive slices should see the same. In the same total time, 180
 * slices of 25 ms had half the uncertainty of 45 slices of 100 ms (a Durable Object's echo: a standard error of 0.018 instead of 0.033).
 */
function defaultRounds({ mode, connections }: Comparison): number {
  switch (mode) {
    case "idle":
      return 5;
    case "slow":
    case "wake":
      return 15;
    default:
      // A slice lasts at least until its first messages, one for each connection, are answered.
      return connections > 2000 ? 45 : 180;
  }
}

function rowsOf(comparison: Comparison, names: readonly string[], pace: Pace): Promise<readonly Row[]> {
  switch (comparison.mode) {
    case "idle":
      return idle(comparison, names, pace);
    case "slow":
      return slow(comparison, pace);
    case "wake":
      return wake(comparison, pace);
    default:
      return measure(comparison, names, pace);
  }
}

/** Overwrites one line of a terminal. Elsewhere nothing is printed, because it would fill a log. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[2K${text.slice(0, process.stderr.columns - 1)}`);
}
