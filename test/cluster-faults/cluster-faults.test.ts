/** A sample of real faults of servers and of Redis: `npm run campaign:cluster` is the whole. Nothing may be lost or come twice but what is told. */
import { describe, expect, inject, test } from "vitest";
import { Random } from "../fuzz/random.ts";
import type { RuntimeName } from "../kill/process.ts";
import { Primary } from "./primary.ts";
import { Round, type Plan, type Result } from "./round.ts";
import { Servers } from "./servers.ts";

const path = inject("redis");

async function round(runtimes: readonly RuntimeName[], replicas: number, plan: Plan): Promise<Result> {
  await using primary = await Primary.start(path);
  await using servers = await Servers.start(runtimes, primary.port, replicas, new Random(plan.seed));
  return await new Round(servers, primary, plan).run();
}

describe.skipIf(path === "").concurrent("servers that share a Redis, under load", () => {
  test("are killed and deployed anew: nothing is lost, twice, or told to be lost", async () => {
    const { faults, gaps, uncertain, returns } = await round(["node", "bun"], 0, { seed: 1, kills: 20, deploys: 2 });
    expect(faults).toEqual([]);
    expect({ gaps, uncertain }).toEqual({ gaps: 0, uncertain: 0 });
    expect(returns).toBeGreaterThanOrEqual(20);
  });

  // Found faults that are not mended yet (the closing note of issue 23): `CLUSTER_FAULTS=all` and the campaign run them.
  test.skipIf(process.env["CLUSTER_FAULTS"] !== "all")(
    "are stopped, and cut off from Redis, and Redis pauses: nothing is lost, twice, or told to be lost",
    async () => {
      const { faults, gaps, uncertain } = await round(["node", "deno"], 0, { seed: 4, stops: 2, cuts: 2, pauses: 2 });
      expect(faults).toEqual([]);
      expect({ gaps, uncertain }).toEqual({ gaps: 0, uncertain: 0 });
    },
  );

  test("fail over to a replica that has what was acknowledged: that is not lost", async () => {
    const { faults, uncertain } = await round(["node"], 1, { seed: 2, failovers: 2 });
    expect(faults).toEqual([]);
    expect(uncertain).toBe(0);
  });

  test.skipIf(process.env["CLUSTER_FAULTS"] !== "all")("fail over to a replica that is behind: each loss is told", async () => {
    const { faults, gaps, uncertain } = await round(["node", "node"], 0, { seed: 3, behind: 1 });
    expect(faults).toEqual([]);
    expect(gaps, "readers").toBeGreaterThan(0);
    expect(uncertain, "senders").toBeGreaterThan(0);
  });
});
