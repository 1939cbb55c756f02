/**
 * Bad input against every runtime's server. `FUZZ_SECONDS` is how long for each (a short run by default; `npm run fuzz` takes ten
 * minutes), `FUZZ_SEED` replays a run, and `FUZZ_ONLY` one of its connections.
 */
import { describe, test } from "vitest";
import { processRuntimes } from "../support/runtimes.ts";
import { bytes } from "./bytes.ts";
import { campaign, mebibytes } from "./campaign.ts";
import { record } from "./record.ts";
import { long, only, seconds, seed, warmUp } from "./settings.ts";

/** The short run leaves out `attached`, which is Node once more. */
const runtimes = processRuntimes.filter((runtime) => long || runtime !== "attached");

describe("bad input", () => {
  for (const runtime of runtimes) {
    test(`${runtime} lives, and its other clients see nothing of it`, { timeout: seconds * 1000 + 180_000 }, async () => {
      const say = (line: string): void => console.log(`fuzz ${runtime}, seed ${seed}: ${line}`);
      say(`${seconds} s`);
      try {
        const report = await campaign(bytes(runtime, seed), { seed, seconds, warmUp, only, progress: say });
        const left = [...report.left].map(([cause, count]) => `${cause} ${count}`).join(", ");
        say(
          `${report.connections} connections (${report.accepted} accepted, ${report.resets} reset), ${report.frames} frames, ` +
            `${report.actions} actions, ${report.rounds} rounds of neighbours; memory ${report.memory.map(mebibytes).join(" -> ")}, ` +
            `heap ${report.heap.map(mebibytes).join(" -> ")}, descriptors ${report.descriptors.join(" -> ")}` +
            (left === "" ? "" : `; left open by the platform: ${left}`),
        );
        if (only === undefined) record("runs", runtime, seed, seconds, report);
      } catch (error) {
        const message = `FUZZ_SEED=${seed} npm run fuzz -- -t ${runtime}\n${(error as Error).message}`;
        throw new Error(message, { cause: error });
      }
    });
  }
});
