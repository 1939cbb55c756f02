/** Servers of one room in processes of their own, behind a balancer. */
import type { Random } from "../fuzz/random.ts";
import { Process, type RuntimeName } from "../kill/process.ts";
import { Forwarder } from "./forwarder.ts";

interface Node {
  readonly runtime: RuntimeName;
  readonly process: Process;
  /** Its network to Redis. */
  readonly link: Forwarder;
  /** Undefined until it listens. */
  port: number | undefined;
}

export class Servers implements AsyncDisposable {
  readonly #redis: number;
  readonly #replicas: number;
  readonly #random: Random;
  readonly #nodes: Node[] = [];
  #balancer: Forwarder | undefined;

  /** @param redis its port. */
  static async start(runtimes: readonly RuntimeName[], redis: number, replicas: number, random: Random): Promise<Servers> {
    const servers = new Servers(redis, replicas, random);
    servers.#balancer = await Forwarder.to(() => servers.#inRandomOrder());
    await Promise.all(runtimes.map((runtime) => servers.#launch(runtime)));
    return servers;
  }

  private constructor(redis: number, replicas: number, random: Random) {
    this.#redis = redis;
    this.#replicas = replicas;
    this.#random = random;
  }

  /** Of the balancer. */
  get port(): number {
    return this.#balancer!.port;
  }

  get ports(): readonly number[] {
    return this.#nodes.flatMap(({ port }) => port ?? []);
  }

  /** Kills one of them. Resolves when it is gone, to what resolves when another has taken its place. */
  async kill(): Promise<{ readonly replaced: Promise<void> }> {
    const node = this.#any();
    this.#leave(node);
    await end(node);
    return { replaced: this.#launch(node.runtime) };
  }

  /** Replaces each of them, one after the other: the new one listens before the old one is asked to end. */
  async deploy(): Promise<void> {
    for (const node of Array.from(this.#nodes)) {
      await this.#launch(node.runtime);
      this.#leave(node);
      await node.process.terminate();
      await end(node);
    }
  }

  /** One of them does nothing for a while. */
  async stop(milliseconds: number): Promise<void> {
    const { process } = this.#any();
    process.pause();
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    process.goOn();
  }

  /** One of them and Redis do not hear each other for a while. Then they do, or the connections are lost. */
  async cutOff(milliseconds: number): Promise<void> {
    const { link } = this.#any();
    link.hold();
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    if (this.#random.chance(0.5)) link.cut();
    link.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#balancer?.[Symbol.asyncDispose]();
    await Promise.all(this.#nodes.map(end));
  }

  async #launch(runtime: RuntimeName): Promise<void> {
    const link = await Forwarder.to(() => [this.#redis]);
    const program = { program: "../cluster-faults/serve.ts", args: [String(this.#replicas)] };
    const process = new Process({ runtime, file: `redis://127.0.0.1:${link.port}`, late: false, ...program });
    const node: Node = { runtime, process, link, port: undefined };
    this.#nodes.push(node);
    node.port = await process.listening;
  }

  #any(): Node {
    return this.#random.pick(this.#nodes.filter(({ port }) => port !== undefined));
  }

  #leave(node: Node): void {
    this.#nodes.splice(this.#nodes.indexOf(node), 1);
  }

  #inRandomOrder(): readonly number[] {
    return this.ports
      .map((port) => [this.#random.next(), port] as const)
      .toSorted(([a], [b]) => a - b)
      .map(([, port]) => port);
  }
}

async function end({ process, link }: Node): Promise<void> {
  await process.end();
  await link[Symbol.asyncDispose]();
}
