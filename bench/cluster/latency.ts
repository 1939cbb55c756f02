/** The time of a publish at one node until a subscriber at another one has it, one at a time; and the same of Redis alone, without servers between. */
import { join } from "node:path";
import { Lines } from "../load/lines.ts";
import { median } from "../measure/statistics.ts";
import { fanout, type Pace, type Row } from "./fanout.ts";
import { RedisProcess, serverCore } from "./redis.ts";

export interface Latency {
  /** Nanoseconds. */
  readonly plain: { readonly p50: number; readonly p99: number };
  readonly rows: readonly Row[];
}

export async function latency(names: readonly string[], pace: Pace): Promise<Latency> {
  const rows = await fanout({ nodes: 2, subscribers: 1, inflight: 1 }, names, pace);
  return { plain: await plain(pace), rows };
}

async function plain({ rounds, slice, warmUp }: Pace): Promise<Latency["plain"]> {
  const redis = await RedisProcess.start();
  const lines = new Lines(serverCore, [process.execPath, join(import.meta.dirname, "nodes/publish.ts"), redis.url]);
  try {
    await lines.until((line) => (line === "READY" ? true : undefined));
    const take = async (milliseconds: number): Promise<Latency["plain"]> => {
      lines.say(`go ${milliseconds}`);
      return JSON.parse(await lines.next()) as Latency["plain"];
    };
    await take(warmUp);
    const slices: Latency["plain"][] = [];
    for (let round = 0; round < rounds; round++) slices.push(await take(slice));
    return { p50: median(slices.map(({ p50 }) => p50)), p99: median(slices.map(({ p99 }) => p99)) };
  } finally {
    lines.stop();
    redis.stop();
  }
}
