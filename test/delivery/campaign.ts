/**
 * More seeds than the tests run: `npm run campaign:delivery -- --seeds 100000`. `--bugs` looks for the first seed that shows each planted fault. A seed that
 * fails prints its steps.
 */
import { parseArgs } from "node:util";
import { bugs } from "./bugs.ts";
import { kinds, Simulation, type Faults, type Kind } from "./simulation.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "100000" },
    from: { type: "string", default: "1" },
    bugs: { type: "boolean", default: false },
  },
});
const seeds = Number(values.seeds);

function problemsOf(seed: number, kind: Kind, faults?: Faults): readonly string[] {
  const simulation = new Simulation(seed, kind, faults);
  try {
    return simulation.run(400);
  } catch (error) {
    return [String(error)];
  }
}

if (values.bugs) {
  for (const { name, kind: kindName, faults, plant } of bugs) {
    const kind = kinds.find((one) => one.name === kindName) as Kind;
    const restore = plant?.();
    let seed = 1;
    let found: readonly string[] = [];
    for (; seed <= seeds && found.length === 0; seed++) found = problemsOf(seed, kind, faults);
    restore?.();
    console.log(found.length === 0 ? `${name}: NOT FOUND in ${seeds} seeds` : `${name}: seed ${seed - 1}: ${found[0]}`);
  }
} else {
  let failed = 0;
  for (const kind of kinds) {
    const begun = performance.now();
    for (let seed = Number(values.from); seed < Number(values.from) + seeds; seed++) {
      const problems = problemsOf(seed, kind);
      if (problems.length > 0) {
        failed++;
        console.log(`${kind.name}, seed ${seed}: ${problems.slice(0, 3).join("; ")}`);
      }
      if (seed % 5000 === 0) console.error(`${kind.name}: ${seed} seeds`);
    }
    console.log(`${kind.name}: ${seeds} seeds in ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  }
  console.log(failed === 0 ? "Nothing was lost, nothing came twice, every gap was told." : `${failed} seeds failed.`);
  process.exitCode = failed === 0 ? 0 : 1;
}
