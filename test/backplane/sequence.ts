/** One random sequence of calls to two backplanes, and what both answer and tell. */
import type { Redis } from "ioredis";
import { vi } from "vitest";
import { baseOf } from "../../adapters/redis/room.ts";
import type { Backplane, Batch, Receiver, RoomBackplane, RoomKept } from "../../src/cluster/backplane.ts";
import type { Change, Frame, Notice } from "../../src/cluster/feed.ts";
import type { MemoryBackplane } from "../../src/cluster/memory/index.ts";
import type { Lane, LaneClaim } from "../../src/cluster/tasks.ts";
import type { FoundValue, ValueWrite } from "../../src/cluster/values.ts";
import type { Condition, Kept, Step, Turn } from "../../src/cluster/turns.ts";
import { formatPosition } from "../../src/protocol/positions.ts";
import { below, pick, type Random } from "../delivery/random.ts";
import { seeded } from "../support/random.ts";

const room = "a {room}%";
const topics = ["t", "news: ü", "c"];
const sessions = ["s1", "s2", "s3", "s4"];
const names = ["anchor", "n1", "n2", "n3"];
const servers = ["server 1", "server 2"];
const lanes = ["alarm", "calls"] as const;
const keys = ["k", "k2", "ü", "x"];
const ids = ["c1", "c2", "c3", "c4"];

/** What a backplane answered and told, in a form that does not depend on what the port leaves open. */
export interface Recorded {
  /** What is told from now on is another sequence's. */
  isOver: boolean;
  readonly answers: unknown[];
  readonly frames: Record<string, Frame<Change>[]>;
  readonly notices: Record<string, Frame<Notice>[]>;
}

/** A node as the test sees it: it does as `Cluster` would, but also wrong things. */
interface Node {
  readonly name: string;
  readonly ports: readonly RoomBackplane[];
  life: string | undefined;
  batch: number;
  last: Batch | undefined;
}

export class Sequence {
  readonly memory: Recorded = { isOver: false, answers: [], frames: {}, notices: {} };
  readonly stored: Recorded = { isOver: false, answers: [], frames: {}, notices: {} };
  readonly #random: Random;
  readonly #backplane: MemoryBackplane;
  readonly #client: Redis;
  readonly #setWord: (word: string) => void;
  readonly #nodes: Node[];
  /** By server, in memory and in Redis. */
  readonly #kept: readonly (readonly [name: string, ports: readonly RoomKept[]])[];
  /** Tags of values. */
  readonly #tags: (string | undefined)[] = [undefined, ""];
  readonly #positions: string[] = ["nonsense", formatPosition("e1", 0, "0")];
  #words = 0;
  #time = 1000;

  constructor(seed: number, memory: MemoryBackplane, stored: Backplane, client: Redis, setWord: (word: string) => void) {
    this.#random = seeded(seed);
    this.#backplane = memory;
    this.#client = client;
    this.#setWord = setWord;
    const both = [
      [memory, this.memory],
      [stored, this.stored],
    ] as const;
    this.#kept = servers.map((name) => [name, both.map(([backplane]) => backplane.kept(room, name))]);
    this.#nodes = names.map((name) => ({
      name,
      ports: both.map(([backplane, recorded]) => backplane.room(room, name, receiverOf(name, recorded))),
      life: undefined,
      batch: 0,
      last: undefined,
    }));
  }

  async run(steps: number): Promise<void> {
    for (const node of this.#nodes) await this.#both(node, "subscribe", (port) => port.subscribe());
    for (const node of this.#nodes.slice(0, 2)) await this.#join(node);
    await this.#turns(this.#nodes[0]!, [{ steps: [{ type: "reserve", log: this.#log("t") }] }]);
    for (let step = 0; step < steps; step++) await this.#step();
    for (const node of this.#nodes) await this.#join(node);
    await this.#heard();
    for (const recorded of [this.memory, this.stored]) recorded.isOver = true;
    for (const { ports } of this.#nodes) await ports[1]!.leave();
  }

  /** What Redis tells comes by another connection. */
  async #heard(): Promise<void> {
    const count = ({ frames, notices }: Recorded): number => [frames, notices].flatMap((all) => Object.values(all).flat()).length;
    // What is missing after that shows in the comparison.
    await vi.waitUntil(() => count(this.stored) >= count(this.memory), { timeout: 5000, interval: 1 }).catch(() => {});
  }

  #word(): string {
    return `w${(++this.#words).toString(36)}`;
  }

  #both(node: Node, what: string, ask: (port: RoomBackplane) => Promise<unknown>): Promise<unknown> {
    return this.#asked(node.name, node.ports, what, ask);
  }

  async #asked<Port>(name: string, ports: readonly Port[], what: string, ask: (port: Port) => Promise<unknown>): Promise<unknown> {
    const [memory, stored] = await Promise.all(ports.map((port) => ask(port)));
    this.memory.answers.push([what, name, normal(memory)]);
    this.stored.answers.push([what, name, normal(stored)]);
    return memory;
  }

  // ---- What outlives nodes

  async #keptStep(): Promise<void> {
    const [name, ports] = pick(this.#random, this.#kept)!;
    const both = (what: string, ask: (port: RoomKept) => Promise<unknown>): Promise<unknown> => this.#asked(name, ports, what, ask);
    const lane = pick(this.#random, lanes)!;
    const id = pick(this.#random, ["t1", "t2", "t3"])!;
    switch (below(this.#random, 10)) {
      case 0: {
        const prefix = pick(this.#random, ["", "k", "ü"])!;
        const after = pick(this.#random, [undefined, "", "k", "zz"]);
        const limit = 1 + below(this.#random, 3);
        return void (await both("list", ({ values }) => values.list({ prefix, after, limit })));
      }
      case 1: {
        const key = pick(this.#random, keys)!;
        const { version, value } = (await both("get", ({ values }) => values.get(key))) as FoundValue;
        return void this.#tags.push(version, value?.tag);
      }
      case 2:
      case 3: {
        const write = this.#write();
        return void (await both("write", ({ values }) => values.write(write)));
      }
      case 4: {
        const task = { lane, id, tag: this.#word(), isRepeated: below(this.#random, 2) === 0, body: this.#word(), most: 2 };
        const time = pick(this.#random, [1, 2, 500.5, 8e12])!;
        return void (await both("put", ({ tasks }) => tasks.put({ ...task, time })));
      }
      case 5:
        return void (await both("remove", ({ tasks }) => tasks.remove(lane, id)));
      case 6: {
        const after = pick(this.#random, [undefined, id]);
        return void (await both("tasks", ({ tasks }) => tasks.list(lane, after, 2)));
      }
      case 7:
        return this.#claimLapses(lane);
      case 8: {
        const question = { id: this.#word(), from: name, body: "?" };
        return void (await both("ask", async (port) => (await port.ask(question)).toSorted()));
      }
      default: {
        const claim = (await both("claim", ({ tasks }) => tasks.claim(lane).then(withoutTimes))) as LaneClaim;
        if (claim.task === undefined || below(this.#random, 3) === 0) return;
        const { tag } = claim.task;
        const again = pick(this.#random, [undefined, -1e12, 1e12]);
        await both("settle", ({ tasks }) => tasks.settle({ lane, id: claim.task!.id, tag, again }));
      }
    }
  }

  #write(): ValueWrite {
    const changes = new Map(keys.filter(() => below(this.#random, 2) === 0).map((key) => [key, pick(this.#random, ["", "1", undefined])]));
    const expected = new Map(keys.filter(() => below(this.#random, 5) === 0).map((key) => [key, pick(this.#random, this.#tags)]));
    const version = below(this.#random, 4) === 0 ? (pick(this.#random, this.#tags) ?? "") : undefined;
    const tag = below(this.#random, 6) === 0 ? (this.#tags.at(-1) ?? "again") : this.#word();
    return {
      tag: tag === "" ? "once" : tag,
      clear: below(this.#random, 8) === 0,
      changes,
      expected,
      ...(version === undefined ? {} : { version }),
    };
  }

  async #claimLapses(lane: Lane): Promise<void> {
    const claimed = this.#backplane.roomOf(room).state.kept.lanes.get(lane);
    if (claimed?.claim === undefined) return;
    claimed.claim = { ...claimed.claim, until: -1 };
    await this.#client.hset(`${baseOf("ew:", room)}tl:${lane}`, "until", 0);
  }

  async #step(): Promise<void> {
    const node = pick(this.#random, this.#nodes)!;
    this.#setWord(this.#word());
    if (below(this.#random, 4) === 0) return this.#keptStep();
    const dice = below(this.#random, 100);
    if (dice < 60) return this.#turns(node, this.#randomTurns());
    if (dice < 66) return this.#again(node);
    if (dice < 74) return this.#report(node);
    if (dice < 82) return this.#join(node);
    if (dice < 88) return this.#page(node);
    if (dice < 92) return this.#own(node);
    if (node.name === "anchor") return;
    if (dice < 95) return this.#leave(node);
    if (dice < 98) return this.#lapse(node);
    if (dice < 99) return this.#evict();
    await this.#empty();
  }

  async #join(node: Node): Promise<void> {
    const newLife = this.#word();
    const life = below(this.#random, 4) === 0 ? undefined : node.life;
    const numbers = new Map([["c", 5]]);
    const joined = (await this.#both(node, "join", (port) => port.join({ life, newLife, numbers }))) as { life?: string; batch?: number };
    if (typeof joined === "string") return;
    node.life = joined.life;
    node.batch = joined.batch ?? 0;
  }

  async #turns(node: Node, turns: readonly Turn[]): Promise<void> {
    const isLate = below(this.#random, 20) === 0;
    const batch: Batch = {
      node: node.name,
      life: node.life ?? "none",
      number: node.batch + 1,
      after: isLate ? node.batch + 7 : node.batch,
      tag: this.#word(),
      turns,
    };
    const answer = await this.#both(node, "turns", (port) => port.turns(batch));
    if (typeof answer === "string") return;
    node.batch = batch.number;
    node.last = batch;
  }

  async #again(node: Node): Promise<void> {
    const { last } = node;
    if (last !== undefined) await this.#both(node, "again", (port) => port.turns(last));
  }

  async #report(node: Node): Promise<void> {
    const count = below(this.#random, 3);
    const counts = { connections: count, topics: new Map(topics.slice(0, count).map((topic) => [topic, count])) };
    await this.#both(node, "report", (port) => port.report({ life: node.life ?? "none", counts }));
  }

  async #page(node: Node): Promise<void> {
    const topic = pick(this.#random, [...topics, "unknown"])!;
    const after = below(this.#random, 3) === 0 ? undefined : pick(this.#random, this.#positions);
    const limit = 1 + below(this.#random, 20);
    const page = (await this.#both(node, "page", (port) => port.page(topic, after, limit))) as Awaited<ReturnType<RoomBackplane["page"]>>;
    if (page === undefined) return;
    for (const { offset, tag } of [page.before, ...page.entries]) this.#positions.push(formatPosition(page.epoch, offset, tag));
  }

  async #own(node: Node): Promise<void> {
    const asked = sessions.filter(() => below(this.#random, 2) === 0).map((session) => ({ session, after: below(this.#random, 4) }));
    await this.#both(node, "own", (port) => port.own(asked));
  }

  /** It may hear what is still under way, or not: so nothing is. */
  async #leave(node: Node): Promise<void> {
    await this.#heard();
    await this.#both(node, "leave", (port) => port.leave());
    await this.#heard();
    await this.#both(node, "subscribe", (port) => port.subscribe());
  }

  /** The node's lease is over: the next report finds it dead. */
  async #lapse({ name }: Node): Promise<void> {
    const known = this.#backplane.roomOf(room).state.nodes.get(name);
    if (known !== undefined) known.until = -1;
    await this.#client.zadd(`${baseOf("ew:", room)}e`, "XX", 0, name);
  }

  /** A log is evicted, if it has anything: an empty one has no key. */
  async #evict(): Promise<void> {
    const topic = pick(this.#random, topics)!;
    const { logs } = this.#backplane.roomOf(room).state;
    if ((await this.#client.del(`${baseOf("ew:", room)}t:${topic}`)) > 0) logs.delete(topic);
  }

  /** Everything is gone. */
  async #empty(): Promise<void> {
    const { state } = this.#backplane.roomOf(room);
    Object.assign(state, { life: "", feed: { number: 0, tag: "0" }, numbers: new Map() });
    Object.assign(state.kept, { version: "", order: 0 });
    const { values, lanes: tasks } = state.kept;
    for (const all of [state.logs, state.sessions, state.present, state.nodes, values, tasks]) all.clear();
    await this.#client.flushall();
    await this.#join(this.#nodes[0]!);
    await this.#turns(this.#nodes[0]!, [{ steps: [{ type: "reserve", log: this.#log("t") }] }]);
  }

  #log(topic: string): Kept {
    const messages = 1 + below(this.#random, 5);
    const [bytes, seconds] = [pick(this.#random, [5, 30, Infinity])!, pick(this.#random, [1, 60, Infinity])!];
    return { topic, messages, bytes, seconds, epoch: this.#word() };
  }

  #randomTurns(): Turn[] {
    return Array.from({ length: 1 + below(this.#random, 4) }, () => ({
      condition: below(this.#random, 2) === 0 ? undefined : this.#condition(),
      steps: Array.from({ length: below(this.#random, 4) }, () => this.#turnStep()),
    }));
  }

  #condition(): Condition {
    const session = pick(this.#random, sessions)!;
    const acknowledged = below(this.#random, 3);
    const odds = (one: number): boolean => below(this.#random, one) === 0;
    switch (below(this.#random, 8)) {
      case 0:
      case 1:
        return { type: "create", session, snapshot: this.#word(), epoch: this.#word() };
      case 2:
      case 3:
        return { type: "claim", session, acknowledged: odds(3) ? acknowledged : 0, recent: odds(8), orphan: odds(3) };
      case 4: {
        const own = Array.from({ length: below(this.#random, 3) }, (_, index) => ({
          offset: 2 + index,
          tag: this.#word(),
          payload: this.#payload(),
        }));
        return { type: "restate", session, isOther: odds(2), record: { snapshot: this.#word(), acknowledged, epoch: this.#word(), own } };
      }
      case 5:
        return odds(3) ? { type: "end", session } : { type: "message", session, number: 1 };
      default:
        return { type: "message", session, number: 1 + below(this.#random, 4) };
    }
  }

  #payload(): string | Uint8Array<ArrayBuffer> {
    if (below(this.#random, 2) === 0) return pick(this.#random, ["", "hello", "ü€😀", "5:x,", "\n\0"])!;
    return Uint8Array.from({ length: below(this.#random, 20) }, () => below(this.#random, 256));
  }

  #turnStep(): Step {
    const session = pick(this.#random, sessions)!;
    const id = pick(this.#random, ids)!;
    switch (below(this.#random, 9)) {
      case 0:
        return { type: "reserve", log: this.#log(pick(this.#random, topics)!) };
      case 1:
        return { type: "delete", topic: pick(this.#random, topics)!, epoch: this.#word() };
      case 2:
        return { type: "send", session, payload: this.#payload(), tag: below(this.#random, 5) === 0 ? "same" : this.#word() };
      case 3:
        return { type: "release", session, offset: below(this.#random, 5) };
      case 4:
        return { type: "message", node: pick(this.#random, names)!, connection: id, payload: this.#payload() };
      case 5: {
        const of = below(this.#random, 2) === 0 ? { session } : {};
        return { type: "present", present: { id, node: pick(this.#random, names)!, ...of, member: "m", state: this.#word() } };
      }
      case 6:
        return { type: "absent", id };
      case 7:
        return { type: "state", session, snapshot: this.#word() };
      default:
        return this.#publish();
    }
  }

  #publish(): Step {
    const kept = topics.filter(() => below(this.#random, 2) === 0).map((topic) => this.#log(topic));
    const plain = ["x", "y"].filter(() => below(this.#random, 2) === 0);
    const except = pick(this.#random, [undefined, "c1", new Set(["c1", "ü"])]);
    this.#time += below(this.#random, 800);
    return {
      type: "publish",
      kept,
      topics: plain,
      all: below(this.#random, 4) === 0,
      payload: this.#payload(),
      except,
      key: pick(this.#random, [undefined, "k"]),
      tag: this.#word(),
      time: this.#time,
    };
  }
}

function receiverOf(name: string, recorded: Recorded): Receiver {
  const frames: Frame<Change>[] = (recorded.frames[name] = []);
  const notices: Frame<Notice>[] = (recorded.notices[name] = []);
  return {
    frame(frame) {
      if (!recorded.isOver) frames.push({ ...frame, items: normal(frame.items) as Change[] });
    },
    notice(frame) {
      if (!recorded.isOver) notices.push(frame);
    },
    cut: () => {},
  };
}

/** When is each one's own. */
function withoutTimes({ next, ...claim }: LaneClaim): object {
  return { ...claim, next: next === undefined ? next : "some" };
}

/** Lists whose order the port leaves open. */
const unordered = ["logs", "present", "counts", "orphans", "others"];

function normal(value: unknown): unknown {
  if (Array.isArray(value)) return sortedRuns(value.map(normal));
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const entries = Object.entries(value).map(([name, one]) => {
    const items = normal(one);
    return [name, unordered.includes(name) && Array.isArray(items) ? items.toSorted(byText) : items] as const;
  });
  return Object.fromEntries(entries);
}

/** Whoever leaves with one session, or dies at once, does so in any order. */
function sortedRuns(items: readonly unknown[]): unknown[] {
  const keyed = items.map((item) => ({ item, type: (item as { type?: string } | undefined)?.type }));
  const runs: (typeof keyed)[] = [];
  for (const one of keyed) {
    const run = runs.at(-1);
    if (run !== undefined && run[0]?.type === one.type && (one.type === "absent" || one.type === "gone")) run.push(one);
    else runs.push([one]);
  }
  return runs.flatMap((run) => run.map(({ item }) => item).toSorted(run.length > 1 ? byText : () => 0));
}

function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}
