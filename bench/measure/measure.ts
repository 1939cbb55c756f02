/**
 * Measures echo, latency, fan-out and connect. All servers of a comparison run at the same time and take turns in short slices, so that other load on
 * the machine affects all of them. Each is started several times. Ratios are within the same round; results are medians with quartiles.
 */
import type { Comparison } from "../report/comparison.ts";
import { Load, type Generator, type Slice } from "../load/load.ts";
import type { Row } from "../report/results.ts";
import { Server } from "../servers/server.ts";
import { median, spread } from "./statistics.ts";

export interface Pace {
  readonly rounds: number;
  /** Milliseconds. */
  readonly slice: number;
  readonly warmUp: number;
  /** No round after the first three starts later than this (`performance.now()`). */
  readonly until: number;
  readonly generator: Generator;
  progress(text: string): void;
}

/** With fewer rounds a median means nothing. */
const fewest = 3;
/**
 * Two processes of the same server differ by up to a tenth in speed for as long as they run (Deno and Bun, measured). It depends on memory layout and
 * on what the compiler saw first. So each server is started several times, for its share of the rounds.
 */
export const starts = 3;

export function goesOn({ rounds, until }: Pace, done: number): boolean {
  return done < rounds && (done < fewest || performance.now() < until);
}

interface Measured extends Slice {
  readonly cpu: number;
}

interface Contender {
  readonly name: string;
  readonly server: Server;
  readonly load: Load;
}

export async function measure(
  comparison: Comparison,
  names: readonly string[],
  pace: Pace,
  times: number = starts,
): Promise<readonly Row[]> {
  const slices = new Map<string, Measured[]>(names.map((name) => [name, []]));
  const absent = new Map<string, string>();
  const begin = performance.now();
  for (let time = 1; time <= times; time++) {
    const part = {
      ...pace,
      rounds: Math.ceil((pace.rounds * time) / times),
      until: begin + ((pace.until - begin) * time) / times,
      progress: (text: string) => pace.progress(`start ${time} of ${times}, ${text}`),
    };
    if (goesOn(part, slices.get(names[0]!)!.length)) await measureStarted(comparison, part, slices, absent);
  }
  const bare = slices.get(names[0]!)!;
  return names.map((name) => {
    const reason = absent.get(name);
    return reason === undefined ? row(name, slices.get(name)!, bare) : { name, absent: reason };
  });
}

/** Continues at the round where the last start stopped. */
async function measureStarted(
  comparison: Comparison,
  pace: Pace,
  slices: ReadonlyMap<string, Measured[]>,
  absent: Map<string, string>,
): Promise<void> {
  const [first] = slices.keys();
  const running = new Map<string, Contender>();
  /** If bare or Edgewire fails, there is nothing to compare. If another library fails, its row says why. */
  const attempt = async (name: string, run: () => Promise<void>): Promise<void> => {
    try {
      await run();
    } catch (error) {
      if (name === first || name === "edgewire") throw error;
      absent.set(name, reasonOf(error));
      end(running.get(name));
      running.delete(name);
    }
  };
  try {
    for (const name of slices.keys()) {
      if (absent.has(name)) continue;
      pace.progress(`starting ${name}`);
      await attempt(name, async () => {
        const contender = await start(name, comparison, pace.generator);
        running.set(name, contender);
        await warm(contender.load, pace);
      });
    }
    for (let round = slices.get(first!)!.length; goesOn(pace, round); round++) {
      pace.progress(`round ${round + 1} of ${pace.rounds}`);
      // A different order each round: the first server gets a core that has rested.
      const contenders = [...running.values()];
      for (let turn = 0; turn < contenders.length; turn++) {
        const contender = contenders[(turn + round) % contenders.length]!;
        await attempt(contender.name, async () => void slices.get(contender.name)!.push(await take(contender, pace.slice)));
      }
    }
  } finally {
    for (const contender of running.values()) end(contender);
  }
}

async function start(name: string, comparison: Comparison, generator: Generator): Promise<Contender> {
  const server = await Server.start(name, comparison.runtime, comparison.mode);
  try {
    return { name, server, load: await Load.start(server.port, comparison, generator) };
  } catch (error) {
    server.stop();
    throw error;
  }
}

/** Runs until the runtime has compiled the hot code, which depends on the number of messages, not on time. */
async function warm(load: Load, { rounds, warmUp }: Pace): Promise<void> {
  let messages = 0;
  // So few rounds only show that it works.
  const most = rounds < 10 ? 5 : mostSlices;
  for (let slice = 0; slice < most && messages < enough; slice++) messages += (await load.slice(warmUp)).messages;
}

const enough = 20_000;
/** Handshakes are slower than messages: cold code was measured when five had to be enough. */
const mostSlices = 25;

function end(contender: Contender | undefined): void {
  contender?.load.stop();
  contender?.server.stop();
}

async function take({ server, load }: Contender, milliseconds: number): Promise<Measured> {
  const { cpu } = server;
  const slice = await load.slice(milliseconds);
  if (slice.messages === 0) throw new Error("no message came in a whole slice");
  return { ...slice, cpu: server.cpu - cpu };
}

function row(name: string, slices: readonly Measured[], bare: readonly Measured[]): Row {
  const cost = (slice: Measured): number => slice.cpu / slice.messages;
  const times = (of: (slice: Measured) => number): ReturnType<typeof spread> =>
    spread(slices.map((slice, round) => of(slice) / of(bare[round]!)));
  return {
    name,
    rate: median(slices.map(({ messages, ms }) => (messages / ms) * 1000)),
    cpu: median(slices.map(cost)),
    ratio: spread(slices.map((slice, round) => cost(bare[round]!) / cost(slice))),
    load: median(slices.map(({ busy }) => busy)),
    ...(slices[0]?.p50 === undefined
      ? {}
      : {
          p50: median(slices.map(({ p50 = 0 }) => p50)),
          p99: median(slices.map(({ p99 = 0 }) => p99)),
          p50Ratio: times(({ p50 = 0 }) => p50),
          p99Ratio: times(({ p99 = 0 }) => p99),
        }),
  };
}

/** The error in one line, for a cell of a table. */
export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim().replaceAll(/\s+/g, " ").slice(0, 200);
}
