/**
 * Random joins, leaves, resets and evictions of connections that say, or no longer say, whose they are. Every connection keeps a view of its
 * room: what it was told when it came, and every diff since. When all is quiet, each view must be what the model says: a list of connections.
 */
import { deepEqual, ok } from "node:assert/strict";
import { once } from "node:events";
import { WebSocket } from "ws";
import type { Member, PresenceDiff } from "edgewire";
import { Random } from "../fuzz/random.ts";
import type { Place } from "./place.ts";

export interface PresenceReport {
  operations: number;
  rounds: number;
  diffs: number;
  evictions: number;
  resets: number;
}

const rooms = ["red", "blue"] as const;
const members = ["ann", "bob", "cid", "dee", "eve", "fay"] as const;
const largest = 40;

export async function presenceCampaign(place: Place, { seed, operations }: { seed: number; operations: number }): Promise<PresenceReport> {
  const random = new Random(seed);
  const report: PresenceReport = { operations: 0, rounds: 0, diffs: 0, evictions: 0, resets: 0 };
  const watchers = new Set<Watcher>();
  let said = 0;
  while (report.operations < operations) {
    report.rounds++;
    // Who says something of a member, and when, decides its state: one in a round.
    const spoken = new Set<string>();
    const changes: Promise<unknown>[] = [];
    for (const watcher of watchers) {
      const change = random.weighted([
        [6, "none"],
        [5, "present"],
        [2, "absent"],
        [1, "leave"],
        [1, "reset"],
      ] as const);
      if (change === "none") continue;
      if (change === "present") {
        const member = random.pick(members);
        if (spoken.has(watcher.room + member)) continue;
        spoken.add(watcher.room + member);
        watcher.present = { member, state: random.int(0, 3), at: ++said };
        changes.push(watcher.ask("present", member, watcher.present.state));
      } else if (change === "absent") {
        watcher.present = undefined;
        changes.push(watcher.ask("absent"));
      } else {
        watchers.delete(watcher);
        if (change === "reset") report.resets++;
        changes.push(watcher.end(change));
      }
      report.operations++;
    }
    for (let more = random.int(0, Math.min(6, largest - watchers.size)); more > 0; more--) {
      report.operations++;
      changes.push(Watcher.join(place.port, random.pick(rooms)).then((watcher) => watchers.add(watcher)));
    }
    if (place.evict !== undefined && random.chance(0.3)) {
      report.operations++;
      changes.push(place.evict(`presence-${random.pick(rooms)}`).then((evicted) => (report.evictions += Number(evicted))));
    }
    await Promise.all(changes);
    await quiet(watchers);
  }
  for (const watcher of watchers) report.diffs += watcher.diffs;
  await Promise.all(Array.from(watchers, (watcher) => watcher.end("leave")));
  return report;
}

/** Waits until every view is the model's: a reset is told to nobody here. */
async function quiet(watchers: ReadonlySet<Watcher>): Promise<void> {
  const expected = new Map(rooms.map((room) => [room as string, modelOf([...watchers].filter((watcher) => watcher.room === room))]));
  const deadline = Date.now() + 20_000;
  for (const watcher of watchers) {
    const should = expected.get(watcher.room);
    while (JSON.stringify(watcher.seen) !== JSON.stringify(should) && watcher.failed === undefined && Date.now() < deadline)
      await watcher.next();
    if (watcher.failed !== undefined) throw watcher.failed;
    deepEqual(watcher.seen, should, `who is in room ${watcher.room}`);
  }
}

/** A member has as many connections as say so, and the state that was said last. */
function modelOf(watchers: readonly Watcher[]): readonly Member[] {
  const saying = watchers.flatMap(({ present }) => (present === undefined ? [] : [present])).toSorted((a, b) => a.at - b.at);
  return sorted(
    [...Map.groupBy(saying, ({ member }) => member)].map(([id, all]) => ({ id, state: all.at(-1)!.state, connections: all.length })),
  );
}

function sorted(list: Iterable<Member>): readonly Member[] {
  return Array.from(list, ({ id, state, connections }) => ({ id, state, connections })).sort((a, b) => (a.id < b.id ? -1 : 1));
}

class Watcher {
  readonly room: string;
  /** What the model says that it has said. */
  present: { readonly member: string; readonly state: number; readonly at: number } | undefined;
  diffs = 0;
  failed: Error | undefined;
  readonly #ws: WebSocket;
  readonly #view = new Map<string, Member>();
  readonly #answers = new Map<number, (result: unknown) => void>();
  #orders = 0;
  #wake = (): void => {};

  static async join(port: number, room: string): Promise<Watcher> {
    const watcher = new Watcher(port, room);
    await once(watcher.#ws, "open");
    await watcher.ask("watch");
    return watcher;
  }

  private constructor(port: number, room: string) {
    this.room = room;
    this.#ws = new WebSocket(`ws://127.0.0.1:${port}/?room=presence-${room}`);
    this.#ws.on("message", (data) => this.#read(JSON.parse(String(data)) as Told));
    this.#ws.on("error", () => {});
  }

  get seen(): readonly Member[] {
    return sorted(this.#view.values());
  }

  ask(...order: readonly unknown[]): Promise<unknown> {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#answers.set(++this.#orders, resolve);
    this.#ws.send(JSON.stringify([this.#orders, ...order]));
    return promise;
  }

  /** Something has come, or some time has passed. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, 100);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async end(how: "leave" | "reset"): Promise<void> {
    if (how === "reset") return void (this.#ws as unknown as { _socket: { resetAndDestroy(): void } })._socket.resetAndDestroy();
    const closed = once(this.#ws, "close");
    this.#ws.close(1000);
    await closed;
  }

  #read([what, ...rest]: Told): void {
    try {
      if (what === "diff") this.#apply(rest[0] as PresenceDiff);
      else {
        const [number, result] = rest as [number, unknown];
        // In the order in which it was sent: before the first diff.
        if (Array.isArray(result)) for (const member of result as Member[]) this.#view.set(member.id, member);
        this.#answers.get(number)?.(result);
        this.#answers.delete(number);
      }
    } catch (error) {
      this.failed ??= error as Error;
    }
    this.#wake();
  }

  #apply({ joined, left, updated }: PresenceDiff): void {
    this.diffs++;
    for (const member of joined) {
      ok(!this.#view.has(member.id), `${member.id} joined twice`);
      this.#view.set(member.id, member);
    }
    for (const member of [...left, ...updated]) ok(this.#view.has(member.id), `${member.id} left, or changed, and was not there`);
    for (const member of updated) this.#view.set(member.id, member);
    for (const { id } of left) this.#view.delete(id);
  }
}

type Told = readonly ["diff", PresenceDiff] | readonly ["done", number, unknown];
