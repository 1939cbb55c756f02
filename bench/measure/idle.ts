/**
 * Measures the memory of an idle connection: the server's private memory after garbage collection at a growing number of connections, and the slope
 * of a line through these points. Two points would mostly show which server has just enlarged a table or its heap. At 4 000, 8 000 and 16 000
 * connections, Deno's excess over bare was 1.6, 1.2 and 0.7 KiB for each. Each round starts a new server, because memory that was used once is not
 * fully released.
 */
import type { Comparison } from "../report/comparison.ts";
import { Load } from "../load/load.ts";
import { goesOn, reasonOf, type Pace } from "./measure.ts";
import type { Row } from "../report/results.ts";
import { Server } from "../servers/server.ts";
import { slope, spread } from "./statistics.ts";

/** Connections before the first point, so that code and tables created for the first connections are not counted. */
const first = 1000;
const steps = 8;

export async function idle(comparison: Comparison, names: readonly string[], pace: Pace): Promise<readonly Row[]> {
  const taken = new Map<string, number[]>(names.map((name) => [name, []]));
  const absent = new Map<string, string>();
  for (let round = 0; goesOn(pace, round); round++) {
    for (const name of names.filter((one) => !absent.has(one))) {
      pace.progress(`round ${round + 1} of ${pace.rounds}, ${name}`);
      try {
        taken.get(name)!.push(await bytesPerConnection(name, comparison, pace));
      } catch (error) {
        if (name === names[0] || name === "edgewire") throw error;
        absent.set(name, reasonOf(error));
      }
    }
  }
  const bare = taken.get(names[0]!)!;
  return names.map((name) => {
    const reason = absent.get(name);
    if (reason !== undefined) return { name, absent: reason };
    const bytes = taken.get(name)!;
    return { name, memory: spread(bytes), over: spread(bytes.map((value, round) => value - bare[round]!)) };
  });
}

async function bytesPerConnection(name: string, comparison: Comparison, { generator }: Pace): Promise<number> {
  const server = await Server.start(name, comparison.runtime, comparison.mode);
  const loads: Load[] = [];
  try {
    const open = async (connections: number): Promise<number> => {
      loads.push(await Load.start(server.port, { ...comparison, connections }, generator));
      return server.memory();
    };
    const points: [connections: number, bytes: number][] = [[first, await open(first)]];
    const more = Math.ceil(comparison.connections / steps);
    for (let step = 1; step <= steps; step++) {
      points.push([first + step * more, await open(more)]);
    }
    return slope(points);
  } finally {
    for (const load of loads) load.stop();
    server.stop();
  }
}
