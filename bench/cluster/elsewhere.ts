/**
 * What a room costs a node that has nobody in it: two nodes have the room's connections, and the last one has a connection in another room. Slices in
 * which the room is busy take turns with as long ones in which it is quiet; the difference is the room's.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Load } from "../load/load.ts";
import { median, spread, type Spread } from "../measure/statistics.ts";
import { contender } from "./contenders.ts";
import { bytes, type Pace } from "./fanout.ts";
import { Nodes } from "./nodes.ts";

export interface Elsewhere {
  readonly name: string;
  /** In a slice. */
  readonly publishes: number;
  /** Of the last node, for each publish: bytes that it reads more, and microseconds of processor time. */
  readonly bytes: Spread;
  readonly cpu: Spread;
}

interface Spent {
  readonly bytes: number;
  readonly cpu: number;
}

const subscribers = 10;
const last = 2;

export async function elsewhere(name: string, { rounds, slice, warmUp }: Pace): Promise<Elsewhere> {
  const nodes = await Nodes.start(contender(name), last + 1);
  const loads: Load[] = [];
  try {
    const open = async (ports: readonly number[], mode: string, connections: number): Promise<Load> => {
      const load = await Load.start(ports, { mode, connections, inflight: 16, bytes, type: nodes.contender.type, rooms: 1 }, "c");
      loads.push(load);
      return load;
    };
    await open(nodes.ports.slice(last), "crowd", 1);
    const load = await open(nodes.ports.slice(0, last), "fanout", subscribers);
    await nodes.listening(["f"], last);
    await load.slice(warmUp);
    const publishes: number[] = [];
    const differences: Spent[] = [];
    for (let round = 0; round < rounds; round++) {
      const begun = performance.now();
      let deliveries = 0;
      const busy = await spent(nodes, async () => void (deliveries = (await load.slice(slice)).messages));
      const length = performance.now() - begun;
      // As long as the busy slice: what a node does by the clock is in both.
      const quiet = await spent(nodes, () => sleep(length));
      const count = deliveries / subscribers;
      publishes.push(count);
      differences.push({ bytes: (busy.bytes - quiet.bytes) / count, cpu: (busy.cpu - quiet.cpu) / 1000 / count });
    }
    const of = (key: keyof Spent): Spread => spread(differences.map((one) => one[key]));
    return { name, publishes: median(publishes), bytes: of("bytes"), cpu: of("cpu") };
  } finally {
    for (const load of loads) load.stop();
    nodes.stop();
  }
}

async function spent(nodes: Nodes, during: () => Promise<void>): Promise<Spent> {
  const before = { bytes: nodes.read(last), cpu: nodes.cpus[last]! };
  await during();
  return { bytes: nodes.read(last) - before.bytes, cpu: nodes.cpus[last]! - before.cpu };
}
