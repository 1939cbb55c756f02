/**
 * Servers over a file are killed under load: whatever a client was shown is in the file. `npm run campaign:kill` does a thousand (campaign.ts). The
 * control, which sends before it commits, must not pass.
 */
import { expect, test } from "vitest";
import { runtimes } from "./process.ts";
import { run, summaryOf } from "./run.ts";
import { runScheduled } from "./scheduled.ts";

const kills = 20;
/** It has lost something after at most 8 kills in each of 20 runs. */
const controlKills = 60;

test.concurrent.each(runtimes)("%s: everything that was shown survives kills", { timeout: 300_000 }, async (runtime) => {
  const report = await run({ runtime, kills, seed: 1 });
  console.log(summaryOf(report));
  expect(report.said, summaryOf(report)).toEqual([]);
  expect(report).toMatchObject({ missing: 0, twice: 0, other: 0 });
  expect(report.kills).toBeGreaterThanOrEqual(kills);
  expect(report.messages).toBeGreaterThan(kills);
  expect(report.values).toBeGreaterThan(0);
});

test.concurrent("the control, which commits late, is caught", { timeout: 300_000 }, async () => {
  const report = await run({ runtime: "bun", kills: controlKills, seed: 1, late: true });
  console.log(`control: ${summaryOf(report)}`);
  expect(report.missing, summaryOf(report)).toBeGreaterThan(0);
});

test.concurrent.each(runtimes)(
  "%s: each scheduled call runs once, none early, whatever is killed",
  { timeout: 300_000 },
  async (runtime) => {
    const report = await runScheduled({ runtime, calls: 1000, rooms: 10, seconds: 4, seed: 1 });
    expect(report).toMatchObject({ ran: { 0: 0, 1: 1000 }, early: 0, problems: [] });
    // A machine with much else to do starts it so slowly that few kills fit in.
    expect(report.kills).toBeGreaterThanOrEqual(1);
  },
);
