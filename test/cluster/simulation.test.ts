/** Two to five nodes under every fault of a backplane and of nodes, by recorded seeds: `npm run campaign:cluster-simulation` runs more. */
import { expect, test } from "vitest";
import { bugs } from "./bugs.ts";
import { kinds, runLength, Simulation, type Kind } from "./simulation.ts";

const seeds = Number(process.env["CLUSTER_SEEDS"] ?? 100);

test.each(kinds)("$name: nothing is lost, nothing comes twice, every loss is told, nodes agree", async (kind) => {
  for (let seed = 1; seed <= seeds; seed++) expect(await new Simulation(seed, kind).run(runLength), `seed ${seed}`).toEqual([]);
});

test.each(bugs)("a planted fault is found: $name", async ({ kind: name, seed, faults, plant }) => {
  const kind = kinds.find((one) => one.name === name) as Kind;
  const problemsOf = (planted: typeof faults): Promise<readonly string[]> => new Simulation(seed, kind, planted).run(runLength);
  expect(await problemsOf(undefined)).toEqual([]);
  const restore = plant?.();
  try {
    expect(await problemsOf(faults)).not.toEqual([]);
  } finally {
    restore?.();
  }
  expect(await problemsOf(undefined)).toEqual([]);
});

test("faults happen in the runs", async () => {
  const counts: Record<string, number> = {};
  for (const kind of kinds) {
    for (let seed = 1; seed <= 30; seed++) {
      const simulation = new Simulation(seed, kind);
      await simulation.run(runLength);
      for (const [what, count] of Object.entries(simulation.checker.counts)) counts[what] = (counts[what] ?? 0) + count;
    }
  }
  const often = ["resumed", "begun", "taken", "adopted", "ended", "acknowledged", "uncertain", "answers", "entries", "plain entries"];
  const faults = ["expelled", "rewinds", "emptied", "evicted", "restated", "gaps: lost", "BackplaneError", "continued"];
  const refusals = ["acknowledged", "holder", "ended", "forgot"].map((why) => `refused: ${why}`);
  for (const what of [...often, ...faults, ...refusals]) expect(counts[what] ?? 0, what).toBeGreaterThan(5);
});
