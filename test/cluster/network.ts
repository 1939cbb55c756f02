/** The network between nodes and the backplane in the simulation: nothing moves but by a step of the scheduler. */
import type { MemoryNetwork } from "../../src/cluster/memory/index.ts";
import { below, pick, type Random } from "../delivery/random.ts";

export interface NodeLink {
  /** Undelivered, in order. */
  requests: (() => void)[];
  answers: (() => void)[];
  frames: (() => void)[];
  /** False: the node knows that it has no connection. */
  isUp: boolean;
  /** Half-open: what is sent is lost, and nobody knows. */
  isSilent: boolean;
  /** Requests that hang because of it: they fail with the connection. */
  hanging: (() => void)[];
}

export class SimulatedNetwork implements MemoryNetwork {
  readonly links = new Map<string, NodeLink>();
  /** The backplane answers nobody. */
  isDown = false;
  /** Share of feed frames that are lost. */
  loss = 0;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  linkOf(node: string): NodeLink {
    const known = this.links.get(node);
    if (known !== undefined) return known;
    const link: NodeLink = { requests: [], answers: [], frames: [], isUp: true, isSilent: false, hanging: [] };
    this.links.set(node, link);
    return link;
  }

  request<Answer>(node: string, run: () => Answer): Promise<Answer> {
    const link = this.linkOf(node);
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const fail = (): void => reject(new Error("the connection to the backplane is lost"));
    if (!link.isUp) fail();
    else if (link.isSilent) link.hanging.push(fail);
    else {
      link.hanging.push(fail);
      link.requests.push(() => {
        const answer = run();
        link.answers.push(() => resolve(answer));
      });
    }
    return promise;
  }

  frame(node: string, deliver: () => void): void {
    const link = this.linkOf(node);
    if (link.isUp && !link.isSilent && this.#random() >= this.loss) link.frames.push(deliver);
  }

  /** Something that is under way arrives. Returns false if nothing is. @param stopped nodes that take nothing. */
  move(stopped: ReadonlySet<string>): boolean {
    const ready: (() => void)[][] = [];
    for (const [node, { requests, answers, frames }] of this.links) {
      if (requests.length > 0 && !this.isDown) ready.push(requests);
      if (stopped.has(node)) continue;
      if (answers.length > 0) ready.push(answers);
      if (frames.length > 0) ready.push(frames);
    }
    const queue = pick(this.#random, ready);
    queue?.shift()?.();
    return queue !== undefined;
  }

  /** The connection is lost, with what is under way; some requests arrive nevertheless. */
  cut(node: string): void {
    const link = this.linkOf(node);
    for (const run of link.requests.splice(0, below(this.#random, link.requests.length + 1))) if (!this.isDown) run();
    const { hanging } = link;
    Object.assign(link, { requests: [], answers: [], frames: [], hanging: [], isUp: false, isSilent: false });
    for (const fail of hanging) fail();
  }

  /** The node is gone. What it has sent may still arrive. */
  remove(node: string): void {
    const link = this.linkOf(node);
    this.links.delete(node);
    for (const run of link.requests.splice(0, below(this.#random, link.requests.length + 1))) if (!this.isDown) run();
  }
}
