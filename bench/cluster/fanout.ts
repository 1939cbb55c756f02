/**
 * Deliveries for the same processor time: a publisher at one node, subscribers at all of them. All contenders run at the same time and take turns in
 * short slices, so that other load on the machine affects all of them.
 */
import { Load } from "../load/load.ts";
import { median, spread, type Spread } from "../measure/statistics.ts";
import { contender } from "./contenders.ts";
import { Nodes } from "./nodes.ts";

export interface Scene {
  readonly nodes: number;
  readonly subscribers: number;
  /** Publishes under way. */
  readonly inflight: number;
}

export interface Pace {
  /** Two processes of one server differ by up to a tenth: each is started several times. */
  readonly starts: number;
  /** Of each start. */
  readonly rounds: number;
  /** Milliseconds. */
  readonly slice: number;
  readonly warmUp: number;
}

export interface Row {
  readonly name: string;
  /** Deliveries for each second of processor time of all nodes and of Redis. */
  readonly rate: Spread;
  /** Microseconds of all nodes for a delivery, and of Redis for a publish. */
  readonly nodes: number;
  readonly redis: number;
  /** Its rate divided by that of the first row in the same round. */
  readonly ratio: Spread;
  /** Nanoseconds from a publish until the last has it; only where one publish is under way. */
  readonly p50?: number;
  readonly p99?: number;
}

interface Slice {
  readonly deliveries: number;
  readonly nodes: number;
  readonly redis: number;
  readonly p50?: number;
  readonly p99?: number;
}

interface Running {
  readonly name: string;
  readonly nodes: Nodes;
  readonly load: Load;
}

export const bytes = 100;

export async function fanout(scene: Scene, names: readonly string[], pace: Pace): Promise<readonly Row[]> {
  const slices = new Map<string, Slice[]>(names.map((name) => [name, []]));
  for (let start = 0; start < pace.starts; start++) await measureStarted(scene, pace, slices);
  const first = slices.get(names[0]!)!;
  return names.map((name) => rowOf(name, slices.get(name)!, first));
}

async function measureStarted(scene: Scene, pace: Pace, slices: ReadonlyMap<string, Slice[]>): Promise<void> {
  const running: Running[] = [];
  try {
    for (const name of slices.keys()) running.push(await startOne(name, scene));
    for (const { load } of running) await load.slice(pace.warmUp);
    for (let round = 0; round < pace.rounds; round++) {
      // A different order each round: the first gets a core that has rested.
      for (let turn = 0; turn < running.length; turn++) {
        const one = running[(turn + round) % running.length]!;
        slices.get(one.name)!.push(await take(one, pace.slice));
      }
    }
  } finally {
    for (const { load, nodes } of running) {
      load.stop();
      nodes.stop();
    }
  }
}

async function startOne(name: string, { nodes: count, subscribers, inflight }: Scene): Promise<Running> {
  const nodes = await Nodes.start(contender(name), count);
  try {
    const { type } = nodes.contender;
    const load = await Load.start(nodes.ports, { mode: "fanout", connections: subscribers, inflight, bytes, type, rooms: 1 }, "c");
    await nodes.listening(["f"], Math.min(count, subscribers));
    return { name, nodes, load };
  } catch (error) {
    nodes.stop();
    throw error;
  }
}

async function take({ nodes, load, name }: Running, milliseconds: number): Promise<Slice> {
  const before = { all: nodes.cpu, redis: nodes.redisCpu };
  const { messages, p50, p99 } = await load.slice(milliseconds);
  if (messages === 0) throw new Error(`${name}: no message came in a whole slice`);
  const redis = nodes.redisCpu - before.redis;
  const samples = p50 === undefined || p99 === undefined ? {} : { p50, p99 };
  return { deliveries: messages, nodes: nodes.cpu - before.all - redis, redis, ...samples };
}

function rowOf(name: string, slices: readonly Slice[], first: readonly Slice[]): Row {
  const rate = ({ deliveries, nodes, redis }: Slice): number => (deliveries / (nodes + redis)) * 1e9;
  const samples = { p50: median(slices.map(({ p50 = 0 }) => p50)), p99: median(slices.map(({ p99 = 0 }) => p99)) };
  return {
    name,
    rate: spread(slices.map(rate)),
    nodes: median(slices.map(({ nodes, deliveries }) => nodes / deliveries)) / 1000,
    redis: median(slices.map(({ redis, deliveries }) => redis / deliveries)) / 1000,
    ratio: spread(slices.map((slice, round) => rate(slice) / rate(first[round]!))),
    ...(slices[0]?.p50 === undefined ? {} : samples),
  };
}
