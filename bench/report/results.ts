/** What a comparison gave, and where it is kept: bench/results has one file for each. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { join } from "node:path";
import { bunBinary, denoBinary } from "../../test/support/runtimes.ts";
import { keyOf, suite, type Comparison } from "./comparison.ts";
import { isPeer, type Runtime } from "../servers/contenders.ts";
import { peerVersion } from "../servers/peers.ts";
import type { Spread } from "../measure/statistics.ts";

/** One contender's line. Which figures it has, the mode says: see table.ts. */
export interface Row {
  readonly name: string;
  /** Why it has no figures. */
  readonly absent?: string;
  /** Messages a second; in `connect`, connections; in `fanout`, deliveries. */
  readonly rate?: number;
  /** Nanoseconds of the server's CPU for each of them. */
  readonly cpu?: number;
  /** Bare's CPU by its own, of the same round: above 1 it does more with a core than bare. In `wake`, its own by bare's. */
  readonly ratio?: Spread;
  /** Nanoseconds, and as a multiple of bare's in the same round. */
  readonly p50?: number;
  readonly p99?: number;
  readonly p50Ratio?: Spread;
  readonly p99Ratio?: Spread;
  /** Share of its core that the load generator used. */
  readonly load?: number;
  /** `idle`: bytes a connection, and more than bare's in the same round. */
  readonly memory?: Spread;
  readonly over?: Spread;
  /** `wake`: milliseconds. */
  readonly wake?: Spread;
  /** `slow`: MiB by which the server grew and milliseconds that a publish took to the others, with one that reads and one that does not. */
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

/** Replaces the one of the same comparison. */
export function save(result: Result): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${keyOf(result.comparison)}.json`);
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  return file;
}

/** In the suite's order, then what was measured besides. */
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

/** With the commit, because a version stands for many. */
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
