/** Mode `wake`: runs bench/wake/run.ts and parses its output. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Comparison } from "../report/comparison.ts";
import type { Pace } from "./measure.ts";
import type { Row } from "../report/results.ts";
import type { Spread } from "./statistics.ts";

export async function wake({ connections }: Comparison, pace: Pace): Promise<readonly Row[]> {
  const file = join(import.meta.dirname, "../wake/run.ts");
  const child = spawn(process.execPath, [file, String(connections), String(pace.rounds)], { stdio: ["ignore", "pipe", "pipe"] });
  const said: string[] = [];
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    said.push(line);
    pace.progress(line);
  });
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  if (code !== 0) throw new Error(`bench/wake/run.ts ended with ${code}:\n${said.slice(-20).join("\n")}`);
  const find = (beginning: string): Spread => {
    const line = lines.find((one) => one.startsWith(beginning)) ?? "";
    const [, middle, low, high] = /^.*?: (-?[\d.]+).*\(quartiles (-?[\d.]+) to (-?[\d.]+)\)$/.exec(line) ?? [];
    if (high === undefined) throw new Error(`bench/wake/run.ts printed no line "${beginning}… (quartiles … to …)"`);
    return { low: Number(low), median: Number(middle), high: Number(high) };
  };
  return [
    { name: "bare", wake: find("bare:"), ratio: { low: 1, median: 1, high: 1 } },
    { name: "edgewire", wake: find("ours:"), ratio: find("ratio of neighbours:") },
  ];
}
