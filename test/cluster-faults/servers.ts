/** Servers of one room in processes of their own, behind a balancer. */
import type { Random } from "../fuzz/random.ts";
import { Process, type RuntimeName } from "../kill/process.ts";
import { Forwarder } from "./forwarder.ts";

interface Node {
  readonly runtime: RuntimeName;
  readonly process: Process;
  /** Undefined until it listens. */
  port: number | undefined;
}

export class Servers implements AsyncDisposable {
  readonly #url: string;
  readonly #replicas: number;
  readonly #random: Random;
  readonly #nodes: Node[] = [];
  #balancer: Forwarder | undefined;

  /** @param url of Redis. */
  static async start(runtimes: readonly RuntimeName[], url: string, replicas: number, random: Random): Promise<Servers> {
    const servers = new Servers(url, replicas, random);
    servers.#balancer = await Forwarder.to(() => servers.#inRandomOrder());
    await Promise.all(runtimes.map((runtime) => servers.#launch(runtime)));
    return servers;
  }

  private constructor(url: string, replicas: number, random: Random) {
    this.#url = url;
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
    const node = this.#random.pick(this.#nodes.filter(({ port }) => port !== undefined));
    this.#leave(node);
    await node.process.end();
    return { replaced: this.#launch(node.runtime) };
  }

  /** Replaces each of them, one after the other: the new one listens before the old one is asked to end. */
  async deploy(): Promise<void> {
    for (const node of Array.from(this.#nodes)) {
      await this.#launch(node.runtime);
      this.#leave(node);
      await node.process.terminate();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#balancer?.[Symbol.asyncDispose]();
    await Promise.all(this.#nodes.map(({ process }) => process.end()));
  }

  async #launch(runtime: RuntimeName): Promise<void> {
    const args = [String(this.#replicas)];
    const process = new Process({ runtime, file: this.#url, late: false, program: "../cluster-faults/serve.ts", args });
    const node: Node = { runtime, process, port: undefined };
    this.#nodes.push(node);
    node.port = await process.listening;
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
