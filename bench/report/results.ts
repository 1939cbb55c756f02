/** The result of a comparison. bench/results has one file for each. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { join } from "node:path";
import { bunBinary, denoBinary } from "../../test/support/runtimes.ts";
import { keyOf, suite, type Comparison } from "./comparison.ts";
import { isPeer, type Runtime } from "../servers/contenders.ts";
import { peerVersion } from "../servers/peers.ts";
import type { Spread } from "../measure/statistics.ts";

/** The row of one server. Its figures depend on the mode: see table.ts. */
export interface Row {
  readonly name: string;
  /** Why the row has no figures. */
  readonly absent?: string;
  /** Messages per second; in `connect` connections, in `fanout` deliveries. */
  readonly rate?: number;
  /** Nanoseconds of server CPU for each of them. */
  readonly cpu?: number;
  /** Bare's CPU divided by this server's, in the same round: above 1 it does more than bare with a core. In `wake` its own divided by bare's. */
  readonly ratio?: Spread;
  /** Nanoseconds, and multiples of bare's in the same round. */
  readonly p50?: number;
  readonly p99?: number;
  readonly p50Ratio?: Spread;
  readonly p99Ratio?: Spread;
  /** Share of its core that the load generator used, from 0 to 1. */
  readonly load?: number;
  /** `idle`: bytes for each connection, and how many more than bare's in the same round. */
  readonly memory?: Spread;
  readonly over?: Spread;
  /** `wake`: milliseconds. */
  readonly wake?: Spread;
  /** `slow`: the server's growth in MiB, and milliseconds from a publish to the other readers, if the slow client reads and if it does not. */
  readonly reading?: Slow;
  readonly deaf?: Slow;
}

export interface Slow {
  readonly grown: number;
  readonly latency: Spread;
  readonly p99: number;
}

export interface Result {
  readonly comparison: Comparison;
  /** YYYY-MM-DD. */
  readonly date: string;
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  /** "15 rounds of 400 ms". */
  readonly pace: string;
  readonly generator: string;
  readonly rows: readonly Row[];
}

const folder = join(import.meta.dirname, "../results");

/** Replaces an earlier result of the same comparison. */
export function save(result: Result): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${keyOf(result.comparison)}.json`);
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  return file;
}

/** Results in the order of the suite, then all others. */
export function load(): readonly Result[] {
  const order = suite().map(keyOf);
  const place = ({ comparison }: Result): number => (order.indexOf(keyOf(comparison)) + order.length + 1) % (order.length + 1);
  mkdirSync(folder, { recursive: true });
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .toSorted()
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Result)
    .toSorted((a, b) => place(a) - place(b));
}

export function machine(): string {
  const all = cpus();
  return `${all.length} cores of ${all[0]?.model.trim() ?? "an unknown CPU"}, Linux ${release().split("-")[0]}`;
}

export function versions(runtime: Runtime, names: readonly string[]): Readonly<Record<string, string>> {
  const found: Record<string, string> = { edgewire: edgewireVersion(), ...runtimeVersions[runtime]() };
  for (const name of names.filter(isPeer)) found[name] = peerVersion(name) ?? "none";
  if (runtime === "node" && names.includes("hono")) found["@hono/node-server"] = peerVersion("@hono/node-server") ?? "none";
  return found;
}

const runtimeVersions: Readonly<Record<Runtime, () => Record<string, string>>> = {
  node: () => ({ node: process.versions.node, ws: installed("ws") }),
  bun: () => ({ bun: printed(bunBinary) }),
  deno: () => ({ deno: printed(denoBinary()).replace(/^deno (\S+).*/s, "$1") }),
  workers: () => ({ workerd: installed("workerd") }),
  durable: () => ({ workerd: installed("workerd") }),
};

/** Includes the commit, because many commits have the same version. */
function edgewireVersion(): string {
  const root = join(import.meta.dirname, "../..");
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  try {
    return `${version} (${execFileSync("git", ["rev-parse", "--short=8", "HEAD"], { cwd: root, encoding: "utf8" }).trim()})`;
  } catch {
    return version;
  }
}

function installed(name: string): string {
  const file = join(import.meta.dirname, "../../node_modules", name, "package.json");
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

function printed(binary: string): string {
  return execFileSync(binary, ["--version"], { encoding: "utf8" }).trim();
}
