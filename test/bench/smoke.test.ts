/** The benchmark works: every server does each mode's work, which the load generator checks message by message. Nothing here is about speed. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { comparison, impossible, type Mode, type Numbers } from "../../bench/report/comparison.ts";
import { contenders, runtimes, type Runtime } from "../../bench/servers/contenders.ts";
import { idle } from "../../bench/measure/idle.ts";
import { defaultGenerator } from "../../bench/load/load.ts";
import { measure, type Pace } from "../../bench/measure/measure.ts";
import { installPeers, peersFolder } from "../../bench/servers/peers.ts";
import { profile } from "../../bench/measure/profile.ts";
import type { Row } from "../../bench/report/results.ts";
import { slow } from "../../bench/measure/slow.ts";
import { print } from "../../bench/report/table.ts";
import { wake } from "../../bench/measure/wake.ts";
import { workerd } from "../../bench/servers/workerd.ts";

const pace: Pace = { rounds: 1, slice: 40, warmUp: 20, until: Number.POSITIVE_INFINITY, generator: defaultGenerator(), progress() {} };
const ours = ["bare", "edgewire"];

beforeAll(installPeers, 60_000);

/** Text and binary, small and large, one and many at a time: in few runs, because each starts a server. */
const loads: readonly (readonly [Mode, Partial<Numbers>, "everyone" | "ours"])[] = [
  ["echo", { connections: 4, inflight: 8 }, "everyone"],
  ["echo", { connections: 2, inflight: 1, bytes: 65_536, type: "binary" }, "everyone"],
  ["fanout", { connections: 20, inflight: 4 }, "everyone"],
  ["connect", { inflight: 4 }, "everyone"],
  ["latency", {}, "ours"],
];

test("an object is measured as it is deployed, without what watches it in development", async () => {
  const command = await workerd("edgewire", join(import.meta.dirname, "../../bench/servers/edgewire.durable.ts"), "durable", "echo", false);
  const script = readFileSync(join(dirname(command[2]!), "worker.js"), "utf8");
  expect(script).toMatch(/if \(false\)\s+return WatchedHost/);
});

test("the command", () => {
  const args = ["bench/run.ts", "--quick", "--rounds", "3", "--slice", "20", "--servers", "bare,edgewire", "--connections", "2"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: join(import.meta.dirname, "../.."), encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^node: Echo: 32 B text, 2 connections.*^bare .*^edgewire .*/ms);
});

/** `BENCH=all vitest run --project bench`; otherwise every mode runs on Node, and the first and the fan-out elsewhere. */
const all = process.env["BENCH"] === "all";

// A process that gets no time at all within a short slice has none to be measured: it is tried again.
describe.each(runtimes)("%s", { retry: 2 }, (runtime: Runtime) => {
  const some = all || runtime === "node" ? loads : loads.filter((load, index) => index === 0 || load[0] === "fanout");
  test.each(some.filter(([mode]) => impossible(runtime, mode) === undefined))("%s %o", async (mode, numbers, who) => {
    const names = who === "ours" ? ours : contenders(runtime, mode);
    const rows = await measure(comparison(runtime, mode, numbers), names, pace);
    expect(rows.map(({ name, absent }) => [name, absent])).toEqual(names.map((name) => [name, undefined]));
    for (const { rate = 0, cpu = 0, ratio, load = 0, p50 = 0, p99 = 0 } of rows) {
      // The kernel counts a process's time in steps of 10 ms: one message at a time may take none.
      for (const value of [rate, ratio?.median ?? 0, ...(mode === "latency" ? [] : [cpu, load])]) expect(value).toBeGreaterThan(0);
      if (mode === "latency") expect(p99).toBeGreaterThanOrEqual(p50);
    }
    wellFormed(mode, rows);
  });

  test("idle", async () => {
    const rows = await idle(comparison(runtime, "idle", { connections: 200 }), ours, { ...pace, rounds: 1 });
    expect(rows.map(({ name, absent, memory }) => [name, absent, Number.isFinite(memory?.median)])).toEqual(
      ours.map((name) => [name, undefined, true]),
    );
    wellFormed("idle", rows);
  });
});

// The contract's own application, which its columns run everywhere: one runtime is enough to see that the mode works.
test("slow", async () => {
  const rows = await slow(comparison("node", "slow", { connections: 10, bytes: 1024 }), { ...pace, rounds: 1 });
  for (const { reading, deaf } of rows) expect(Math.min(reading?.latency.median ?? 0, deaf?.latency.median ?? 0)).toBeGreaterThan(0);
  wellFormed("slow", rows);
});

test("wake", async () => {
  const rows = await wake(comparison("durable", "wake", { connections: 100 }), pace);
  expect(rows.map(({ name }) => name)).toEqual(ours);
  wellFormed("wake", rows);
});

test.each(runtimes)("a profile of %s", async (runtime) => {
  const text = await profile(comparison(runtime, "echo", { connections: 4 }), "edgewire", { ...pace, rounds: 10 });
  expect(text).toMatch(/^edgewire: .*\.cpuprofile\n( +\d+\.\d %  .+\n?)+$/);
});

test("the peers' servers compile against their types", () => {
  const { status, stdout } = spawnSync(process.execPath, [join(import.meta.dirname, "../../node_modules/.bin/tsc"), "-p", peersFolder], {
    encoding: "utf8",
  });
  expect([status, stdout]).toEqual([0, ""]);
});

function wellFormed(mode: Mode, rows: readonly Row[]): void {
  const lines = print(mode, rows).split("\n");
  expect(lines.length).toBeGreaterThan(rows.length);
  expect(lines.filter((line) => /NaN|undefined|Infinity/.test(line))).toEqual([]);
}
