/**
 * Random joins, leaves, resets, subscriptions, publishes and evictions, checked against a model that is two sets: who is in a room,
 * and what each is subscribed to. Membership changes are awaited; publishes of many members run at once, sometimes while others leave,
 * reset or sleep. After each burst every member that stayed must have exactly the messages of its topics, each publisher's in order.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { Random } from "../fuzz/random.ts";
import { Member } from "./member.ts";
import type { Place } from "./place.ts";

export interface Report {
  operations: number;
  rounds: number;
  publishes: number;
  deliveries: number;
  evictions: number;
  resets: number;
}

export interface Plan {
  readonly seed: number;
  readonly operations: number;
  progress(line: string): void;
}

interface Published {
  readonly from: string;
  readonly room: string;
  readonly topics: readonly string[];
  readonly payload: string;
}

const rooms = ["red", "blue", "green"] as const;
const topics = ["a", "b", "c", "d"] as const;
const largest = 60;

export async function campaign(place: Place, plan: Plan): Promise<Report> {
  const crowd = new Crowd(place, new Random(plan.seed));
  let told = 0;
  while (crowd.report.operations < plan.operations) {
    await crowd.churn();
    await crowd.burst();
    if (crowd.report.operations - told < plan.operations / 10) continue;
    told = crowd.report.operations;
    plan.progress(`${told} of ${plan.operations} operations, ${crowd.report.deliveries} deliveries`);
  }
  await crowd.end();
  return crowd.report;
}

class Crowd {
  readonly report: Report = { operations: 0, rounds: 0, publishes: 0, deliveries: 0, evictions: 0, resets: 0 };
  readonly #place: Place;
  readonly #random: Random;
  readonly #members = new Set<Member>();
  #names = 0;
  #payloads = 0;

  constructor(place: Place, random: Random) {
    this.#place = place;
    this.#random = random;
  }

  /** Changes who is there and what they are subscribed to: one change a member, all at once. */
  async churn(): Promise<void> {
    this.report.rounds++;
    const changes: Promise<unknown>[] = [];
    for (const member of this.#members) {
      const change = this.#random.weighted([
        [50, "none"],
        [25, "subscribe"],
        [12, "unsubscribe"],
        [6, "leave"],
        [3, "reset"],
      ] as const);
      if (change !== "none") changes.push(this.#change(member, change));
    }
    const room = largest - this.#members.size;
    for (let more = this.#random.int(0, Math.min(room, 8)); more > 0; more--) changes.push(this.#join());
    if (this.#random.chance(0.3)) changes.push(this.#evict());
    await Promise.all(changes);
    for (const member of this.#members) ok(!member.lost, `${member.name} lost its connection`);
  }

  /** Many publishes at once; in every other burst members come and go, and rooms sleep, meanwhile. */
  async burst(): Promise<void> {
    const random = this.#random;
    const stay = new Set(this.#members);
    const wild = random.chance(0.5);
    const published: Published[] = [];
    /** What they sent last may have been lost with the connection: some of it, from the first on, was published. */
    const unsure = new Set<string>();
    const running: Promise<unknown>[] = [];
    for (const member of this.#members) {
      for (let count = random.chance(0.5) ? random.int(1, 10) : 0; count > 0; count--) running.push(this.#publish(member, published));
    }
    for (const room of rooms) if (random.chance(0.5)) running.push(this.#publishOutside(room, published));
    if (wild) {
      for (const member of this.#members) {
        if (!random.chance(0.05)) continue;
        stay.delete(member);
        const leaves = random.chance(0.5);
        if (!leaves) unsure.add(member.name);
        running.push(this.#change(member, leaves ? "leave" : "reset"));
      }
      running.push(this.#join(), this.#evict());
    }
    await Promise.all(running);
    // What was sent before the answer came before it.
    await Promise.all(Array.from(stay, (member) => member.ask("sync")));
    for (const member of stay) this.#check(member, published, unsure);
    for (const member of this.#members) member.take();
  }

  async end(): Promise<void> {
    await Promise.all(Array.from(this.#members, (member) => member.leave()));
    this.#members.clear();
  }

  async #join(): Promise<void> {
    this.report.operations++;
    this.#members.add(await Member.join(`m${++this.#names}`, this.#random.pick(rooms), this.#place.port));
  }

  async #change(member: Member, change: "subscribe" | "unsubscribe" | "leave" | "reset"): Promise<void> {
    this.report.operations++;
    const topic = this.#random.pick(topics);
    if (change === "subscribe") {
      await member.ask("subscribe", topic);
      member.topics.add(topic);
    } else if (change === "unsubscribe") {
      await member.ask("unsubscribe", topic);
      member.topics.delete(topic);
    } else {
      this.#members.delete(member);
      if (change === "leave") return member.leave();
      this.report.resets++;
      member.reset();
    }
  }

  async #evict(): Promise<void> {
    if (this.#place.evict === undefined) return;
    this.report.operations++;
    if (await this.#place.evict(this.#random.pick(rooms))) this.report.evictions++;
  }

  async #publish(member: Member, published: Published[]): Promise<void> {
    const publish = this.#next(member.name, member.room);
    published.push(publish);
    await member.ask("publish", publish.topics, publish.payload);
  }

  /** One after the other: their order is the order of the requests. */
  async #publishOutside(room: string, published: Published[]): Promise<void> {
    for (let count = this.#random.int(1, 3); count > 0; count--) {
      const publish = this.#next(`outside ${room}`, room);
      published.push(publish);
      const query = new URLSearchParams([["room", room], ...publish.topics.map((topic) => ["topic", topic])]);
      const url = `http://127.0.0.1:${this.#place.port}/publish?${query}`;
      const response = await fetch(url, { method: "POST", body: publish.payload });
      equal(response.status, 200, await response.clone().text());
      await response.arrayBuffer();
    }
  }

  #next(from: string, room: string): Published {
    this.report.operations++;
    this.report.publishes++;
    const first = this.#random.pick(topics);
    const chosen = this.#random.chance(0.2) ? [first, this.#random.pick(topics)] : [first];
    return { from, room, topics: chosen, payload: JSON.stringify([from, ++this.#payloads]) };
  }

  #check(member: Member, published: readonly Published[], unsure: ReadonlySet<string>): void {
    const mine = published.filter(
      ({ from, room, topics: to }) => room === member.room && from !== member.name && to.some((topic) => member.topics.has(topic)),
    );
    const received = member.take();
    this.report.deliveries += received.length;
    const expected = byPublisher(mine.map(({ payload }) => payload));
    const got = byPublisher(received);
    for (const from of unsure) expected[from] = expected[from]?.slice(0, got[from]?.length ?? 0);
    deepEqual(
      got,
      defined(expected),
      `${member.name} in ${member.room} with ${[...member.topics].join(", ")}: not the messages of its topics`,
    );
  }
}

function byPublisher(payloads: readonly string[]): Record<string, readonly string[] | undefined> {
  return { ...Object.groupBy(payloads, (payload) => (JSON.parse(payload) as [string, number])[0]) };
}

function defined(lists: Record<string, readonly string[] | undefined>): Record<string, readonly string[] | undefined> {
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => list !== undefined && list.length > 0));
}
