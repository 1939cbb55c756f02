/** Many connections in many rooms, each of which spans all nodes: they open, all rooms get a message, one node is killed, and its clients come back elsewhere. */
import { Load } from "../load/load.ts";
import { contender } from "./contenders.ts";
import { bytes } from "./fanout.ts";
import { Nodes } from "./nodes.ts";

export interface Size {
  readonly nodes: number;
  readonly connections: number;
  readonly rooms: number;
}

/** Seconds, and seconds of processor time of the nodes and Redis together. */
export interface Cost {
  readonly seconds: number;
  readonly cpu: number;
  readonly redis: number;
}

export interface Crowd {
  readonly name: string;
  /** All connections. */
  readonly opened: Cost;
  /** One message in each room, to all of its connections; the average of a few. */
  readonly message: Cost;
  /** From the first lost connection to the last that is open again. */
  readonly moved: Cost & { readonly connections: number };
  /** One message in each room thereafter. */
  readonly after: Cost;
}

/** Milliseconds. */
const period = 1000;
/** The one that is killed. */
const victim = 1;

export async function crowd(name: string, { nodes: count, connections, rooms }: Size): Promise<Crowd> {
  const nodes = await Nodes.start(contender(name), count);
  let load: Load | undefined;
  try {
    const names = Array.from({ length: rooms }, (_, room) => `c${room}`);
    const { type } = nodes.contender;
    const before = costs(nodes);
    load = await Load.start(nodes.ports, { mode: "crowd", connections, inflight: 1, bytes, type, rooms }, "c");
    await nodes.listening(names, count);
    const opened = before();
    const message = await publish(nodes, load, connections);
    const surviving = costs(nodes, victim);
    const { messages, ms } = await load.move(victim, () => nodes.kill(victim));
    const moved = { ...surviving(), seconds: ms / 1000, connections: messages };
    await nodes.listening(names, count - 1);
    return { name, opened, message, moved, after: await publish(nodes, load, connections) };
  } finally {
    load?.stop();
    nodes.stop();
  }
}

/** The first time compiles, and opens what is opened on first use. */
async function publish(nodes: Nodes, load: Load, connections: number): Promise<Cost> {
  await load.slice(1);
  const since = costs(nodes);
  const { messages } = await load.slice(period);
  const { seconds, cpu, redis } = since();
  const times = messages / connections;
  return { seconds: seconds / times, cpu: cpu / times, redis: redis / times };
}

/** Until it is called. @param except a node whose processor time does not count. */
function costs(nodes: Nodes, except?: number): () => Cost {
  const sum = (): number => nodes.cpus.reduce((total, one, node) => (node === except ? total : total + one), nodes.redisCpu);
  const [begun, cpu, redis] = [performance.now(), sum(), nodes.redisCpu];
  return () => ({ seconds: (performance.now() - begun) / 1000, cpu: (sum() - cpu) / 1e9, redis: (nodes.redisCpu - redis) / 1e9 });
}
