/**
 * Two to five nodes of one room, a backplane in memory, and clients, with one seeded scheduler, which owns the network, the hooks, the clock and the faults.
 * A seed that fails can be run again: `run` returns what the checker found, and `steps` what happened.
 */
import type { BatchAnswer, Refusal } from "../../src/cluster/backplane.ts";
import { MemoryBackplane } from "../../src/cluster/memory/index.ts";
import type { MemoryRoom } from "../../src/cluster/memory/room.ts";
import type { MemoryState } from "../../src/cluster/memory/state.ts";
import { below, pick, type Random } from "../delivery/random.ts";
import { seeded } from "../support/random.ts";
import { Checker } from "./checker.ts";
import { Client, type Link } from "./client.ts";
import { SimulatedNetwork } from "./network.ts";
import { room, SimulatedNode, topics, unkept } from "./node.ts";
import type { Faults, World } from "./node.ts";

export interface Kind {
  readonly name: string;
  /** Feed frames are lost, and connections of nodes to the backplane are cut or half-open. */
  readonly cuts?: boolean;
  /** Nodes are killed, stopped for longer than their lease, or replaced by a deploy. */
  readonly crashes?: boolean;
  /** The backplane answers nobody, for a short while or longer than nodes are patient. */
  readonly downs?: boolean;
  /** The backplane fails over to a replica that is behind. */
  readonly rewinds?: boolean;
  /** The backplane is replaced by an empty one, or loses a log. */
  readonly empties?: boolean;
}

export const kinds: readonly Kind[] = [
  { name: "steady" },
  { name: "cuts", cuts: true },
  { name: "crashes", crashes: true, cuts: true },
  { name: "backplane down", downs: true, cuts: true },
  { name: "failover", rewinds: true, crashes: true, cuts: true },
  { name: "emptied", empties: true, crashes: true, cuts: true },
  { name: "everything", cuts: true, crashes: true, downs: true, rewinds: true, empties: true },
];

/** Steps of a run. */
export const runLength = 300;

const lease = 5000;

export class Simulation implements World {
  readonly steps: string[] = [];
  readonly checker = new Checker();
  readonly random: Random;
  readonly faults: Faults;
  readonly backplane: MemoryBackplane;
  readonly #kind: Kind;
  readonly #network: SimulatedNetwork;
  readonly #room: MemoryRoom;
  readonly #clients: Client[];
  #nodes: SimulatedNode[] = [];
  readonly #stopped = new Map<string, number>();
  #now = 1_000_000;
  #made = 0;
  #downUntil = 0;
  #emptied = 0;
  #replica: { readonly state: MemoryState; readonly order: number } | undefined;

  constructor(seed: number, kind: Kind, faults: Faults = {}) {
    this.random = seeded(seed);
    this.#kind = kind;
    this.faults = faults;
    this.#network = new SimulatedNetwork(this.random);
    this.#network.loss = kind.cuts === true ? 0.03 : 0;
    const options = { lease, now: () => this.#now, tag: () => this.word(), network: this.#network };
    this.backplane = new MemoryBackplane(options);
    this.#room = this.backplane.roomOf(room);
    this.#watch();
    for (let count = 2 + below(this.random, 4); count > 0; count--) this.#start();
    this.#clients = [0, 1, 2].map((index) => new Client(index, this.checker));
  }

  now = (): number => this.#now;
  next = (): number => ++this.#made;
  note = (text: string): void => void this.steps.push(`${this.#now}: ${text}`);
  word = (): string => below(this.random, 2 ** 32).toString(36);

  async run(steps: number): Promise<readonly string[]> {
    for (let left = steps; left > 0; left--) {
      this.#step();
      await settled();
    }
    await this.#settle();
    return this.checker.problems;
  }

  /** The checker learns what the backplane has carried out, once. */
  #watch(): void {
    const turns = this.#room.turns.bind(this.#room);
    this.#room.turns = (batch): BatchAnswer | Refusal => {
      const { state } = this.#room;
      this.faults.backplane?.(batch, state);
      const known = state.nodes.get(batch.node)?.batch ?? 0;
      const answer = turns(batch);
      if (typeof answer !== "string" && batch.number > known) this.checker.carriedOut(batch, answer, state);
      return answer;
    };
  }

  // ---- One step

  #step(): void {
    this.#now += below(this.random, 40);
    this.#tick();
    for (let left = 1 + below(this.random, 6); left > 0; left--) this.#network.move(new Set(this.#stopped.keys()));
    const client = pick(this.random, this.#clients) as Client;
    const chance = this.random() * 100;
    if (client.link === undefined) return this.#connect(client);
    if (chance < 25) return this.#toServer(client.link);
    if (chance < 50) return client.paused ? undefined : this.#toClient(client);
    if (chance < 64) return client.say(this.checker);
    if (chance < 74) return this.#runHook();
    if (chance < 80) return this.#cut(client);
    if (chance < 83) return void (client.paused = !client.paused);
    if (chance < 87) return this.#notice(client.link);
    if (chance < 91) return this.#publish();
    if (chance < 94) return this.#plain();
    if (chance < 96) return this.#subscribe(client);
    if (chance < 96.5) return this.#sleep(client);
    if (chance < 97) return void (this.#now += below(this.random, 3000));
    this.#fault();
  }

  #tick(): void {
    for (const [name, until] of this.#stopped) if (until <= this.#now) this.#stopped.delete(name);
    if (this.#downUntil !== 0 && this.#downUntil <= this.#now) {
      this.#downUntil = 0;
      this.#network.isDown = false;
    }
    for (const node of this.#running) {
      node.cluster.tick();
      node.expire();
      node.checkBounds();
    }
  }

  get #running(): readonly SimulatedNode[] {
    return this.#nodes.filter(({ name }) => !this.#stopped.has(name));
  }

  #nodeOf(link: Link): SimulatedNode | undefined {
    return this.#running.find(({ name }) => name === link.node);
  }

  #connect(client: Client): void {
    const node = pick(this.random, this.#nodes);
    if (client.asleepUntil > this.#now || node === undefined) return;
    // One that is stopped accepts nothing: the client tries another.
    if (this.#stopped.has(node.name)) return;
    const offer = client.core.offer([]);
    const link: Link = { node: node.name, toServer: [], toClient: [], serverOpen: true, clientOpen: true };
    client.link = link;
    this.note(`client ${client.index} connects to ${node.name}: ${offer.join(" ")}`);
    node.accept(client, link, offer[1]);
  }

  #toServer(link: Link): void {
    this.#nodeOf(link)?.receive(link);
  }

  #toClient(client: Client): void {
    const { link } = client;
    const data = link?.clientOpen === true ? link.toClient.shift() : undefined;
    if (data === undefined) {
      // The close reaches the client once it has read everything before it.
      if (link?.serverOpen === false) client.lost();
      return;
    }
    this.checker.arrives(client.index, data);
    const problem = client.core.receive(data);
    if (problem !== undefined) this.checker.problem(`client ${client.index}: ${problem}: ${data}`);
  }

  #runHook(): void {
    const node = pick(this.random, this.#running);
    const waiting = [...(node?.sessions.values() ?? [])].filter(({ hooks }) => hooks.length > 0);
    const served = pick(this.random, waiting);
    if (served !== undefined) node?.runHook(served);
  }

  /** The network loses the connection; what is under way may be lost with it. */
  #cut(client: Client): void {
    const { link } = client;
    if (link === undefined) return;
    this.note(`cut of client ${client.index}`);
    link.toServer.splice(below(this.random, link.toServer.length + 1));
    if (this.random() < 0.5) link.toClient.splice(below(this.random, link.toClient.length + 1));
    client.lost();
    if (this.random() < 0.6) this.#notice(link);
    // Otherwise the node goes on with a client that is elsewhere: what it has received runs.
  }

  /** A node notices that a socket is gone, maybe long after the client. */
  #notice(link: Link): void {
    if (!link.clientOpen) this.#nodeOf(link)?.notice(link);
    else for (const node of this.#running) this.#noticeAll(node);
  }

  #noticeAll(node: SimulatedNode): void {
    for (const { link } of node.sessions.values()) if (link?.clientOpen === false && this.random() < 0.5) node.notice(link);
  }

  #publish(): void {
    pick(this.random, this.#running)?.publish(`p${this.next()}/0`);
  }

  #plain(): void {
    const node = pick(this.random, this.#running);
    if (node?.cluster.state !== "live" || !node.cluster.takes) return;
    if (node.plains.length > 0 && this.random() < 0.4) node.removePlain();
    else if (node.plains.length < 3) node.addPlain();
  }

  #subscribe({ link }: Client): void {
    const node = link === undefined ? undefined : this.#nodeOf(link);
    const served = [...(node?.sessions.values() ?? [])].find((one) => one.link === link);
    if (served?.isSure === true && node?.cluster.state === "live" && node.cluster.takes) node.subscribe(served);
  }

  /** Its session may end meanwhile. */
  #sleep(client: Client): void {
    this.#cut(client);
    client.asleepUntil = this.#now + below(this.random, 6000);
    this.note(`client ${client.index} sleeps`);
  }

  // ---- Faults

  #fault(): void {
    const { cuts, crashes, downs, rewinds, empties } = this.#kind;
    const possible: (() => void)[] = [];
    const add = (is: boolean | undefined, ...faults: (() => void)[]): void => void (is === true && possible.push(...faults));
    add(cuts, this.#cutNode, this.#silence, this.#deafen, this.#heal);
    add(crashes, this.#crash, this.#stop, this.#deploy);
    add(downs, this.#down);
    add(rewinds, this.#copy, this.#copy, this.#failOver);
    add(empties, this.#empty, this.#evict);
    pick(this.random, possible)?.();
  }

  readonly #cutNode = (): void => {
    const node = pick(this.random, this.#nodes);
    if (node === undefined) return;
    this.note(`cut of ${node.name} from the backplane`);
    this.backplane.cut(room, node.name);
    this.#network.cut(node.name);
  };

  readonly #silence = (): void => {
    const node = pick(this.random, this.#nodes);
    if (node === undefined) return;
    this.note(`${node.name} and the backplane do not hear each other`);
    this.#network.linkOf(node.name).isSilent = true;
  };

  /** The subscription alone is gone, and nobody says so. */
  readonly #deafen = (): void => {
    const node = pick(this.random, this.#nodes);
    if (node === undefined) return;
    this.note(`${node.name} hears nothing`);
    this.backplane.cut(room, node.name);
  };

  readonly #heal = (): void => {
    for (const node of this.#nodes) this.#healNode(node);
  };

  #healNode({ name, cluster }: SimulatedNode): void {
    const link = this.#network.linkOf(name);
    link.isSilent = false;
    if (link.isUp) return;
    link.isUp = true;
    cluster.cut();
  }

  readonly #crash = (): void => {
    const node = pick(this.random, this.#nodes);
    if (node === undefined) return;
    this.note(`crash of ${node.name}`);
    this.#remove(node);
    this.#start();
  };

  /** It goes on after its lease, or before. */
  readonly #stop = (): void => {
    const node = pick(this.random, this.#running);
    if (node === undefined || this.#running.length < 2) return;
    this.note(`stop of ${node.name}`);
    this.#stopped.set(node.name, this.#now + below(this.random, 3 * lease));
    for (const client of this.#clients) if (client.link?.node === node.name && this.random() < 0.7) client.lost();
  };

  readonly #deploy = (): void => {
    const node = pick(this.random, this.#running);
    if (node === undefined) return;
    this.note(`deploy of ${node.name}`);
    node.cluster.leave();
    this.#remove(node);
    this.#start();
  };

  readonly #down = (): void => {
    this.note("the backplane is down");
    this.#network.isDown = true;
    this.#downUntil = this.#now + below(this.random, 8000);
  };

  readonly #copy = (): void => {
    // A replica that has nothing is an empty backplane.
    if (this.#room.state.life === "") return;
    this.#replica = { state: structuredClone(this.#room.state), order: this.checker.order };
  };

  /** To a replica that is behind. Its nodes are cut, or not. */
  readonly #failOver = (): void => {
    if (this.#replica === undefined) return;
    this.note("failover");
    this.checker.rewind(this.#replica.order, this.#replica.state, this.#room.state);
    this.#room.state = this.#replica.state;
    this.#replica = undefined;
    if (this.random() < 0.6) for (const { name } of this.#nodes) this.#cutQuietly(name);
  };

  readonly #empty = (): void => {
    // What ended sessions had acknowledged is lost with it: a second time before all nodes have noticed is more than is promised.
    if (this.#now < this.#emptied + 2 * lease) return;
    this.#emptied = this.#now;
    this.note("the backplane is empty");
    const { state } = this.#room;
    const nothing = { logs: new Map(), numbers: new Map(), sessions: new Map(), present: new Map(), nodes: new Map() };
    this.#room.state = { ...state, ...nothing, life: "", feed: { number: 0, tag: "0" } };
    this.#replica = undefined;
    this.checker.emptied(state);
    if (this.random() < 0.6) for (const { name } of this.#nodes) this.#cutQuietly(name);
  };

  /** A log is evicted: nobody is told. */
  readonly #evict = (): void => {
    const topic = pick(this.random, [...this.#room.state.logs.keys()]);
    if (topic === undefined) return;
    this.note(`eviction of ${topic}`);
    this.#room.state.logs.delete(topic);
    this.#replica = undefined;
    this.checker.evicted(topic);
  };

  #cutQuietly(name: string): void {
    this.backplane.cut(room, name);
    this.#network.cut(name);
    if (this.random() < 0.8) this.#heal();
  }

  // ---- Nodes

  #start(): void {
    const node = new SimulatedNode(`n${this.next()}`, this);
    this.#nodes.push(node);
    node.everyPlain = () => this.#nodes.flatMap(({ plains }) => plains);
    this.note(`start of ${node.name}`);
  }

  #remove(node: SimulatedNode): void {
    this.#nodes = this.#nodes.filter((one) => one !== node);
    this.#stopped.delete(node.name);
    this.#network.remove(node.name);
    this.backplane.cut(room, node.name);
    node.end();
    for (const client of this.#clients) {
      if (client.link?.node !== node.name) continue;
      client.link.serverOpen = false;
      if (this.random() < 0.8) client.lost();
    }
  }

  expelled(node: SimulatedNode): void {
    this.note(`${node.name} is expelled`);
    this.#remove(node);
    this.#start();
  }

  // ---- At rest

  /** Faults end: everybody comes back and reads. */
  async #settle(): Promise<void> {
    this.note("faults end");
    this.#network.loss = 0;
    this.#network.isDown = false;
    this.#stopped.clear();
    this.#heal();
    for (const client of this.#clients) {
      client.paused = false;
      client.asleepUntil = 0;
    }
    for (let idle = 0, left = 1000; idle < 26; left--) {
      if (left === 0) return this.checker.problem(`it never comes to rest: ${this.#moving.join(", ")}`);
      idle = (await this.#round()) ? Math.min(idle, 16) : idle + 1;
    }
    this.#checkNodes();
    this.checker.end(
      this.#nodes.flatMap(({ plains }) => plains),
      (topic) => topic !== unkept,
    );
  }

  /** Returns whether anything goes on. */
  async #round(): Promise<boolean> {
    this.#now += 500;
    this.#tick();
    for (let left = 300; left > 0 && this.#network.move(new Set()); left--) await settled();
    for (const client of this.#clients) {
      if (client.link === undefined) this.#connect(client);
      const link = client.link as Link | undefined;
      if (link === undefined) continue;
      if (this.#nodeOf(link) === undefined) link.serverOpen = false;
      for (let left = 20; left > 0; left--) {
        this.#toServer(link);
        this.#toClient(client);
      }
      if (!link.clientOpen) this.#notice(link);
    }
    for (const node of this.#nodes) {
      for (const served of node.sessions.values()) {
        for (let left = served.hooks.length; left > 0; left--) node.runHook(served);
        if (served.link?.clientOpen === false) node.notice(served.link);
      }
    }
    await settled();
    return this.#moving.length > 0;
  }

  /** What is not at rest. */
  get #moving(): readonly string[] {
    const clients = this.#clients.filter(({ core, link }) => {
      const isQuiet = link !== undefined && link.serverOpen && link.toServer.length + link.toClient.length === 0;
      return !isQuiet || !core.isLive || core.outgoing.bytes > 0;
    });
    const nodes = this.#nodes.filter(({ cluster: { pending, state }, sessions }) => {
      return pending > 0 || state !== "live" || [...sessions.values()].some(({ hooks }) => hooks.length > 0);
    });
    return [...clients.map(({ index }) => `client ${index}`), ...nodes.map(({ name, cluster: { state } }) => `${name} ${state}`)];
  }

  /** Every node has the same: the logs, who is there, and how many. */
  #checkNodes(): void {
    const { logs, present, sessions } = this.#room.state;
    const held = this.#nodes.flatMap((node) => [...node.sessions.keys()]);
    const there = new Set([...held, ...this.#nodes.flatMap(({ plains }) => plains.map(({ name }) => name))]);
    const live = [...sessions].filter(([, { isOver }]) => !isOver).map(([name]) => name);
    this.#same("sessions that nodes hold", held.toSorted(), live.toSorted());
    this.#same("who is present", [...present.keys()].toSorted(), [...there].toSorted());
    for (const node of this.#nodes) {
      const { cluster, name } = node;
      for (const topic of topics) {
        const mirror = cluster.logs.get(topic)?.entries.map(({ tag }) => tag) ?? [];
        const log = logs.get(topic)?.entries.map(({ tag }) => tag);
        // One that was evicted is missed with the next publish, or when a node joins.
        if (log !== undefined) this.#same(`${topic} on ${name}`, mirror, log);
        this.#same(`count of ${topic} on ${name}`, this.#countOn(node, topic), this.#count(topic));
      }
      this.#same(`count on ${name}`, this.#countOn(node), this.#count());
      this.#same(`presence on ${name}`, [...cluster.present.keys()].toSorted(), [...present.keys()].toSorted());
      for (const plain of node.plains)
        this.#same(`presence as ${plain.name} was told`, [...plain.members.keys()].toSorted(), [...present.keys()].toSorted());
    }
  }

  #countOn(node: SimulatedNode, topic?: string): number {
    const { connections, topics: of } = node.counts();
    return node.cluster.elsewhere(topic) + (topic === undefined ? connections : (of.get(topic) ?? 0));
  }

  #count(topic?: string): number {
    return this.#nodes.reduce((sum, node) => {
      const { connections, topics: of } = node.counts();
      return sum + (topic === undefined ? connections : (of.get(topic) ?? 0));
    }, 0);
  }

  #same(what: string, found: unknown, expected: unknown): void {
    const [one, other] = [JSON.stringify(found), JSON.stringify(expected)];
    if (one !== other) this.checker.problem(`${what}: ${one} instead of ${other}`);
  }
}

/** Promises that are settled have been heard of. */
async function settled(): Promise<void> {
  for (let left = 3; left > 0; left--) await undefined;
}
