/** A sample of real faults: `npm run campaign:faults` is the whole. Nothing may be lost, come twice, or be told as gone while it is there. */
import { expect, test } from "vitest";
import { runtimes } from "../../kill/process.ts";
import { returnsThroughCuts } from "./cuts.ts";
import { killsAndStops } from "./kills.ts";
import { Servers } from "./servers.ts";

const returns = 100;
const seed = 1;

test.concurrent.each(runtimes)("%s: clients come back through a proxy that cuts at any byte", async (runtime) => {
  await using servers = await Servers.start(runtime, false);
  const sum = await returnsThroughCuts(servers.port, returns, seed);
  expect(sum.faults).toEqual([]);
  expect(sum.returns).toBeGreaterThanOrEqual(returns);
});

test.concurrent.each(runtimes)("%s over a file: killed and stopped, its clients go on", async (runtime) => {
  await using servers = await Servers.start(runtime, true);
  const result = await killsAndStops(servers, { kills: 5, stops: 3, seed });
  expect(result.faults).toEqual([]);
  expect(result).toMatchObject({ kills: 5, stops: 3 });
  expect(result.returns, "all clients, over and over").toBeGreaterThanOrEqual(20);
});
