/**
 * Pipelined requests, handshakes and frames, and answers that no type allows, against every runtime. FUZZ_SECONDS, FUZZ_SEED and FUZZ_ONLY
 * are those of fuzz.test.ts.
 */
import { describe, test } from "vitest";
import { campaign, mebibytes } from "./campaign.ts";
import { pipelines } from "./pipelines/attackers.ts";
import { pipelineRuntimes } from "./pipelines/ground.ts";
import { record } from "./record.ts";
import { long, only, seconds, seed, warmUp } from "./settings.ts";

// Most of a short run is waiting; in a long one memory is watched.
describe("pipelined", { concurrent: !long }, () => {
  for (const runtime of pipelineRuntimes) {
    test(`${runtime} answers in order, and lives`, { timeout: seconds * 1000 + 180_000 }, async () => {
      const say = (line: string): void => console.log(`pipelines ${runtime}, seed ${seed}: ${line}`);
      try {
        const report = await campaign(pipelines(runtime, seed), { seed, seconds, warmUp: long ? warmUp : 0, only, progress: say });
        say(
          `${report.connections} connections (${report.accepted} accepted, ${report.refused} refused, ${report.resets} reset), ` +
            `${report.rounds} rounds of neighbours; memory ${report.memory.map(mebibytes).join(" -> ")}, ` +
            `heap ${report.heap.map(mebibytes).join(" -> ")}, descriptors ${report.descriptors.join(" -> ")}`,
        );
        if (only === undefined) record("pipelines", runtime, seed, seconds, report);
      } catch (error) {
        throw new Error(`FUZZ_SEED=${seed} npm run fuzz -- -t 'pipelined.*${runtime}'\n${(error as Error).message}`, { cause: error });
      }
    });
  }
});
