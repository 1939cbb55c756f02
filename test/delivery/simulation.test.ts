/** Sessions and clients under every fault of one node, by recorded seeds: `npm run campaign:delivery` runs more. */
import { expect, test } from "vitest";
import { bugs } from "./bugs.ts";
import { kinds, Simulation, type Kind } from "./simulation.ts";

const seeds = Number(process.env["DELIVERY_SEEDS"] ?? 200);
const steps = 400;

test.each(kinds)("$name: nothing is lost, nothing comes twice, every gap is told", (kind) => {
  for (let seed = 1; seed <= seeds; seed++) expect(new Simulation(seed, kind).run(steps), `seed ${seed}`).toEqual([]);
});

test.each(bugs)("a planted fault is found: $name", ({ kind: name, seed, faults, plant }) => {
  const kind = kinds.find((one) => one.name === name) as Kind;
  const problemsOf = (planted: typeof faults): readonly string[] => new Simulation(seed, kind, planted).run(steps);
  expect(problemsOf(undefined)).toEqual([]);
  const restore = plant?.();
  try {
    expect(problemsOf(faults)).not.toEqual([]);
  } finally {
    restore?.();
  }
  expect(problemsOf(undefined)).toEqual([]);
});

test("faults happen in the runs: returns, new sessions, reloads, gaps, acknowledgements, messages whose fate nobody knows", () => {
  const counts: Record<string, number> = {};
  for (const kind of kinds) {
    for (let seed = 1; seed <= 50; seed++) {
      const simulation = new Simulation(seed, kind);
      simulation.run(steps);
      for (const [what, count] of Object.entries(simulation.checker.counts)) counts[what] = (counts[what] ?? 0) + count;
    }
  }
  for (const what of ["resumed", "begun", "reloaded", "gaps", "acknowledged", "uncertain", "entries", "answers"])
    expect(counts[what], what).toBeGreaterThan(50);
});
