/**
 * Compares this checkout with another, in ten paired rounds: `npm run campaign:paired -- --before ../before` (built already). A round starts both
 * servers anew and lets them take turns. It writes docs/maintainers/paired.md. A comparison is slower if the 95 % interval of its ratio lies wholly
 * beyond 3 %. `--rounds`, `--runtime` and `--mode` as in options.ts; without modes: echo, latency, fanout and connect.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { defaultGenerator } from "./load/load.ts";
import { measure } from "./measure/measure.ts";
import { comparison, impossible, titleOf, type Comparison, type Mode } from "./report/comparison.ts";
import { machine } from "./report/results.ts";
import { runtimes, type Runtime } from "./servers/contenders.ts";
import { compareWith } from "./servers/server.ts";

const { values } = parseArgs({
  options: {
    before: { type: "string" },
    rounds: { type: "string", default: "10" },
    slices: { type: "string", default: "60" },
    runtime: { type: "string", default: runtimes.join(",") },
    mode: { type: "string", default: "echo,latency,fanout,connect" },
  },
});
const before = checkout(values.before);
const rounds = Number(values.rounds);
compareWith(before);

function checkout(folder: string | undefined): string {
  if (folder === undefined) throw new Error("--before: name the folder of another checkout, already built");
  return folder;
}

/** How much of what it took before it takes now: below 1 is faster. */
interface Ratio {
  readonly mean: number;
  readonly from: number;
  readonly to: number;
}

/** Student's t for a 95 % interval, by degrees of freedom. */
const quantiles = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.1, 2.09];

function ratioOf(samples: readonly number[]): Ratio {
  const mean = samples.reduce((sum, one) => sum + one, 0) / samples.length;
  const variance = samples.reduce((sum, one) => sum + (one - mean) ** 2, 0) / Math.max(samples.length - 1, 1);
  const half = (quantiles[samples.length - 2] ?? 2) * Math.sqrt(variance / samples.length);
  return { mean, from: mean - half, to: mean + half };
}

const comparisons = values.runtime
  .split(",")
  .flatMap((runtime) => values.mode.split(",").map((mode) => comparison(runtime as Runtime, mode as Mode)))
  .filter(({ runtime, mode }) => impossible(runtime, mode) === undefined);
const found = new Map<Comparison, number[]>(comparisons.map((one) => [one, []]));

const commit = (folder: string): string => execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: folder, encoding: "utf8" }).trim();
function write(done: number): readonly string[] {
  const rows = [...found].map(([one, samples]) => {
    const { mean, from, to } = ratioOf(samples);
    const verdict = from > 1.03 ? "**slower**" : to < 0.97 ? "faster" : "alike";
    return `| ${one.runtime} | ${titleOf(one)} | ${mean.toFixed(3)} | ${from.toFixed(3)} to ${to.toFixed(3)} | ${verdict} |`;
  });
  const page = `# Before and after

For maintainers. \`npm run campaign:paired -- --before FOLDER\` wrote this page: processor time of a message, a publish or a handshake, of this
checkout's Edgewire over the other's. Below 1 is less. Each of ${done} rounds started both anew and let them take turns, in ${values.slices} slices of 25 ms.
A row is slower if the 95 % interval of its ratio lies wholly beyond 3 %, and faster if it lies wholly below that.

Before: ${commit(before)}. After: ${commit(".")}. ${new Date().toISOString().slice(0, 10)}, ${machine()}.

| runtime | what | ratio | 95 % | |
| --- | --- | --- | --- | --- |
${rows.join("\n")}
`;
  writeFileSync(join(import.meta.dirname, "../docs/maintainers/paired.md"), page);
  return rows;
}

for (let round = 1; round <= rounds; round++) {
  for (const one of comparisons) {
    const pace = {
      rounds: Number(values.slices),
      slice: 25,
      warmUp: 400,
      until: Number.POSITIVE_INFINITY,
      generator: defaultGenerator(),
      progress: () => {},
    };
    const [, now] = await measure(one, ["before", "edgewire"], pace, 1);
    if (now?.ratio === undefined) throw new Error(`${one.runtime} ${one.mode}: this checkout was not measured`);
    const ratio = 1 / now.ratio.median;
    found.get(one)!.push(ratio);
    console.log(`round ${round} of ${rounds}, ${one.runtime} ${one.mode}: ${ratio.toFixed(3)}`);
  }
  // What is known is kept, whatever becomes of the next round.
  if (round > 1) write(round);
}
console.log(write(rounds).join("\n"));
