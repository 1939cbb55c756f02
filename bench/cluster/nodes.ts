/** Nodes of one contender and the Redis that they share, all on the first core: the load generator has the other one. */
import { setTimeout as sleep } from "node:timers/promises";
import { Lines } from "../load/lines.ts";
import type { Contender } from "./contenders.ts";
import { RedisProcess, serverCore } from "./redis.ts";

/** Milliseconds in which all nodes have to hear of a room. */
const patience = 30_000;

export class Nodes {
  readonly contender: Contender;
  readonly ports: readonly number[];
  readonly #nodes: readonly Lines[];
  readonly #redis: RedisProcess;

  static async start(contender: Contender, count: number): Promise<Nodes> {
    const redis = await RedisProcess.start();
    const started: Lines[] = [];
    try {
      for (let node = 0; node < count; node++) started.push(new Lines(serverCore, contender.command(redis.url)));
      const ports: number[] = [];
      for (const lines of started)
        ports.push(await lines.until((line) => (line.startsWith("LISTEN ") ? Number(line.slice(7)) : undefined)));
      return new Nodes(contender, ports, started, redis);
    } catch (error) {
      for (const lines of started) lines.stop();
      redis.stop();
      throw error;
    }
  }

  private constructor(contender: Contender, ports: readonly number[], nodes: readonly Lines[], redis: RedisProcess) {
    this.contender = contender;
    this.ports = ports;
    this.#nodes = nodes;
    this.#redis = redis;
  }

  /** Resolves when what is published to these rooms reaches the nodes. @param inRoom how many of them have somebody in each room. */
  async listening(rooms: readonly string[], inRoom: number): Promise<void> {
    const until = performance.now() + patience;
    const audience = { all: this.#nodes.filter((node) => !node.ended).length, inRoom };
    while (!(await this.contender.listens(this.#redis.client, audience, rooms))) {
      if (performance.now() > until) throw new Error(`nodes do not listen within ${patience} ms: ${this.contender.what}`);
      // Redis tells nobody who subscribes.
      await sleep(20);
    }
  }

  /** Nanoseconds of processor time of each node; 0 for one that was killed. */
  get cpus(): readonly number[] {
    return this.#nodes.map((node) => (node.ended ? 0 : node.cpu));
  }

  get redisCpu(): number {
    return this.#redis.cpu;
  }

  /** Nanoseconds of all nodes and of Redis. */
  get cpu(): number {
    return this.cpus.reduce((sum, one) => sum + one, this.redisCpu);
  }

  /** Bytes that a node has read. */
  read(node: number): number {
    return this.#nodes[node]!.read;
  }

  async kill(node: number): Promise<void> {
    this.#nodes[node]!.stop();
    await this.#nodes[node]!.end();
  }

  stop(): void {
    for (const node of this.#nodes) node.stop();
    this.#redis.stop();
  }
}
