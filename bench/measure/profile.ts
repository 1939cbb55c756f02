/**
 * `--profile`: shows where a server spends its time, with the runtime's own profiler (`--cpu-prof` of Node, Bun and Deno, workerd's inspector). All
 * write V8's format, which Chromium's DevTools and editors can open.
 */
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { keyOf, type Comparison } from "../report/comparison.ts";
import { Load } from "../load/load.ts";
import type { Pace } from "./measure.ts";
import { Server } from "../servers/server.ts";
import { temporary } from "../load/temporary.ts";

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  /** Microseconds since the previous sample. */
  readonly timeDeltas: readonly number[];
}

/** Number of functions to show. */
const shown = 25;
const root = join(import.meta.dirname, "../..");

/** Returns the profile's path and hottest functions as text. */
export async function profile(comparison: Comparison, name: string, pace: Pace): Promise<string> {
  const folder = join(temporary, "profile", `${keyOf(comparison)}-${name}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const server = await Server.start(name, comparison.runtime, comparison.mode, folder);
  let load: Load | undefined;
  try {
    load = await Load.start(server.port, comparison, pace.generator);
    await load.slice(pace.warmUp);
    const finish = await server.profile();
    pace.progress(`${name}: profiling`);
    for (let round = 0; round < pace.rounds; round++) await load.slice(pace.slice);
    const written = await finish();
    if (written !== undefined) writeFileSync(join(folder, "CPU.cpuprofile"), written);
  } finally {
    load?.stop();
    server.stop();
  }
  const file = readdirSync(folder).find((one) => one.endsWith(".cpuprofile"));
  if (file === undefined) throw new Error(`${name} wrote no profile into ${folder}`);
  const path = join(folder, file);
  return [`${name}: ${relative(root, path)}`, ...hottest(JSON.parse(readFileSync(path, "utf8")) as Profile)].join("\n");
}

/** Functions by self time, without idle time. */
function hottest({ nodes, samples, timeDeltas }: Profile): readonly string[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map<string, number>();
  let total = 0;
  for (const [index, id] of samples.entries()) {
    const name = names.get(id) ?? "?";
    if (name === "(idle)") continue;
    const took = Math.max(timeDeltas[index] ?? 0, 0);
    total += took;
    times.set(name, (times.get(name) ?? 0) + took);
  }
  const sorted = [...times].toSorted(([, a], [, b]) => b - a).slice(0, shown);
  return sorted.map(([name, time]) => `${((time / total) * 100).toFixed(1).padStart(6)} %  ${name}`);
}

function nameOf({ functionName, url, lineNumber }: Profile["nodes"][number]["callFrame"]): string {
  const file = url.replace(/^file:\/\//, "").replace(`${root}/`, "");
  return `${functionName || "(anonymous)"}${file === "" ? "" : `  ${file}:${lineNumber + 1}`}`;
}
