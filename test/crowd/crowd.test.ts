/**
 * Rooms under a crowd, on every runtime that has them: `CROWD_OPERATIONS` for each (few by default; `npm run crowd` does 100 000),
 * `CROWD_SEED` replays a run.
 */
import { describe, test } from "vitest";
import { campaign } from "./campaign.ts";
import { open, places } from "./place.ts";
import { presenceCampaign } from "./presence.ts";

const given = process.env["CROWD_OPERATIONS"];
const operations = Number(given ?? 2000);
/** The short run is the same each time; a long one is for finding something new. */
const seed = Number(process.env["CROWD_SEED"] ?? (given === undefined ? 1 : Date.now() % 1_000_000));

describe("a crowd", () => {
  for (const name of places) {
    test(`${name}: everyone gets the messages of their topics, in order, once`, { timeout: 60_000 + operations * 20 }, async () => {
      const say = (line: string): void => console.log(`crowd ${name}, seed ${seed}: ${line}`);
      const place = await open(name);
      try {
        const report = await campaign(place, { seed, operations, progress: say });
        say(
          Object.entries(report)
            .map(([what, count]) => `${count} ${what}`)
            .join(", "),
        );
      } catch (error) {
        throw new Error(`CROWD_SEED=${seed} npm run crowd -- -t ${name}\n${(error as Error).message}`, { cause: error });
      } finally {
        await place.stop();
      }
    });

    test(`${name}: everyone knows who is here, from diffs alone`, { timeout: 60_000 + operations * 20 }, async () => {
      const place = await open(name);
      try {
        const report = await presenceCampaign(place, { seed, operations });
        const counts = Object.entries(report).map(([what, count]) => `${count} ${what}`);
        console.log(`presence ${name}, seed ${seed}: ${counts.join(", ")}`);
      } catch (error) {
        throw new Error(`CROWD_SEED=${seed} npm run crowd -- -t "${name}: everyone knows"\n${(error as Error).message}`, { cause: error });
      } finally {
        await place.stop();
      }
    });
  }
});
