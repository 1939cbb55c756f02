/** A sample of what can happen to a Durable Object: `npm run campaign:faults` is the whole. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { returnsThroughCuts } from "./cuts.ts";
import { disturbances } from "./disturbances.ts";
import { Objects } from "./objects.ts";

const returns = 100;
const seed = 1;

let objects: Objects;
beforeAll(async () => {
  objects = await Objects.start();
});
afterAll(() => objects[Symbol.asyncDispose]());

test("clients come back through a proxy that cuts at any byte", async () => {
  const sum = await returnsThroughCuts(objects.port, returns, seed);
  expect(sum.faults).toEqual([]);
  expect(sum.returns).toBeGreaterThanOrEqual(returns);
});

test("aborted, evicted and deployed anew, its clients go on", async () => {
  const result = await disturbances(objects, { abort: 3, evict: 3, deploy: 2, seed });
  expect(result.faults).toEqual([]);
  expect(result.returns, "all clients, after each abort and deploy").toBeGreaterThanOrEqual(20);
});
