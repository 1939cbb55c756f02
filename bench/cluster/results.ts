/** Results of a part, which stay until it is measured again: bench/cluster/results has a file for each. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { loadavg } from "node:os";
import { join } from "node:path";
import { machine } from "../report/results.ts";
import type { Crowd, Size } from "./crowd.ts";
import type { Elsewhere } from "./elsewhere.ts";
import type { Pace, Row, Scene } from "./fanout.ts";
import type { Latency } from "./latency.ts";

export interface Parts {
  readonly fanout: readonly { readonly scene: Scene; readonly rows: readonly Row[] }[];
  readonly latency: Latency;
  readonly crowd: { readonly size: Size; readonly rows: readonly Crowd[] };
  readonly elsewhere: readonly Elsewhere[];
}

export type Part = keyof Parts;
export const parts: readonly Part[] = ["fanout", "latency", "crowd", "elsewhere"];

export interface Result<Name extends Part = Part> {
  readonly measured: Parts[Name];
  readonly pace: Pace;
  /** The commit, the day, the machine and what else it did. */
  readonly where: string;
}

const folder = join(import.meta.dirname, "results");
const fileOf = (part: Part): string => join(folder, `${part}.json`);

export function save<Name extends Part>(part: Name, measured: Parts[Name], pace: Pace): void {
  mkdirSync(folder, { recursive: true });
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: folder, encoding: "utf8" }).trim();
  const busy = Math.round(loadavg()[2] ?? 0);
  const where = `commit ${commit}, ${new Date().toISOString().slice(0, 10)}, ${machine()}, load ${busy}`;
  writeFileSync(fileOf(part), `${JSON.stringify({ measured, pace, where } satisfies Result<Name>, null, 2)}\n`);
}

/** Undefined if it was never measured. */
export function load<Name extends Part>(part: Name): Result<Name> | undefined {
  return existsSync(fileOf(part)) ? (JSON.parse(readFileSync(fileOf(part), "utf8")) as Result<Name>) : undefined;
}
