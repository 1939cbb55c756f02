/**
 * More seeds than the tests run: `npm run campaign:cluster-simulation -- --seeds 5000`. `--bugs` looks for the first seed that shows each planted fault. A
 * seed that fails is printed; `--kind failover --from 17 --seeds 1 --steps` prints what happened in it.
 */
import { parseArgs } from "node:util";
import { bugs, type Bug } from "./bugs.ts";
import { kinds, runLength, Simulation, type Kind } from "./simulation.ts";
import type { Faults } from "./node.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "5000" },
    from: { type: "string", default: "1" },
    kind: { type: "string" },
    bugs: { type: "boolean", default: false },
    steps: { type: "boolean", default: false },
  },
});
const seeds = Number(values.seeds);

async function problemsOf(seed: number, kind: Kind, faults?: Faults): Promise<readonly string[]> {
  const simulation = new Simulation(seed, kind, faults);
  try {
    return await simulation.run(runLength);
  } catch (error) {
    return [String((error as Error).stack)];
  } finally {
    if (values.steps) console.log(simulation.steps.join("\n"));
    for (const [what, count] of Object.entries(simulation.checker.counts)) counts[what] = (counts[what] ?? 0) + count;
  }
}

const counts: Record<string, number> = {};

/** The first seed that shows a planted fault. */
async function find({ name, kind: kindName, faults, plant }: Bug): Promise<void> {
  const kind = kinds.find((one) => one.name === kindName) as Kind;
  const restore = plant?.();
  let seed = 1;
  let found: readonly string[] = [];
  for (; seed <= seeds && found.length === 0; seed++) found = await problemsOf(seed, kind, faults);
  restore?.();
  console.log(found.length === 0 ? `${name}: NOT FOUND in ${seeds} seeds` : `${name}: seed ${seed - 1}: ${found[0]}`);
}

async function runAll(kind: Kind): Promise<number> {
  const begun = performance.now();
  let failed = 0;
  for (let seed = Number(values.from); seed < Number(values.from) + seeds; seed++) {
    const problems = await problemsOf(seed, kind);
    if (problems.length === 0) continue;
    failed++;
    console.log(`${kind.name}, seed ${seed}: ${problems.slice(0, 3).join("; ")}`);
  }
  console.log(`${kind.name}: ${seeds} seeds in ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  return failed;
}

if (values.bugs) for (const bug of bugs) await find(bug);
else {
  let failed = 0;
  for (const kind of kinds) if (values.kind === undefined || kind.name === values.kind) failed += await runAll(kind);
  console.log(counts);
  console.log(failed === 0 ? "Nothing was lost, nothing came twice, every loss was told." : `${failed} seeds failed.`);
  process.exitCode = failed === 0 ? 0 : 1;
}
