/** A node of a room as the suite has it: it numbers its batches, and records what it is told. */
import type { Backplane, Batch, BatchAnswer, Joined, Receiver, RoomBackplane } from "../../src/cluster/backplane.ts";
import type { Change, Frame, Notice } from "../../src/cluster/feed.ts";
import type { Condition, Kept, Publish, SessionRecord, Step, Turn, TurnResult } from "../../src/cluster/turns.ts";
import type { Data } from "../../src/api/connection.ts";

const deadline = 10_000;

let words = 0;

/** Used once. */
export function word(): string {
  return `w${(++words).toString(36)}x${Math.floor(Math.random() * 1e9).toString(36)}`;
}

/** Repeats a call that fails until it does not: a store comes back in its own time. */
export async function eventually<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  const late = Date.now() + 20_000;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (Date.now() > late) throw error;
      await new Promise((resolve) => void setTimeout(resolve, 20));
    }
  }
}

export class Member implements Receiver {
  readonly name: string;
  readonly port: RoomBackplane;
  readonly frames: Frame<Change>[] = [];
  readonly notices: Frame<Notice>[] = [];
  cuts = 0;
  life = "";
  batch = 0;
  #told: (() => void)[] = [];

  private constructor(backplane: Backplane, room: string, name: string) {
    this.name = name;
    this.port = backplane.room(room, name, this);
  }

  /** A node that hears the feed, and has joined. */
  static async join(backplane: Backplane, room: string, name: string = word()): Promise<Member> {
    const member = new Member(backplane, room, name);
    await member.port.subscribe();
    await member.joinAgain();
    return member;
  }

  async joinAgain(life: string | undefined = undefined): Promise<Joined> {
    const joined = await this.port.join({ life, newLife: word(), numbers: new Map() });
    if (typeof joined === "string") throw new Error(`${this.name} is refused: ${joined}`);
    this.life = joined.life;
    this.batch = joined.batch;
    return joined;
  }

  next(...turns: readonly Turn[]): Batch {
    return { node: this.name, life: this.life, number: this.batch + 1, after: this.batch, tag: word(), turns };
  }

  async send(batch: Batch): Promise<BatchAnswer> {
    const answer = await this.port.turns(batch);
    if (typeof answer === "string") throw new Error(`${this.name} is refused: ${answer}`);
    this.batch = batch.number;
    return answer;
  }

  /** A batch of one turn. */
  async turn(...steps: readonly Step[]): Promise<TurnResult> {
    return (await this.send(this.next({ steps }))).results[0]!;
  }

  async on(condition: Condition, ...steps: readonly Step[]): Promise<TurnResult> {
    return (await this.send(this.next({ condition, steps }))).results[0]!;
  }

  frame(frame: Frame<Change>): void {
    this.frames.push(frame);
    this.#tell();
  }

  notice(frame: Frame<Notice>): void {
    this.notices.push(frame);
    this.#tell();
  }

  cut(): void {
    this.cuts++;
    this.#tell();
  }

  #tell(): void {
    for (const told of this.#told.splice(0)) told();
  }

  /** Settles when it is so. */
  async until(isSo: () => boolean, what = "what was told", patience = deadline): Promise<void> {
    const { promise, reject } = Promise.withResolvers<never>();
    const late = setTimeout(() => reject(new Error(`${this.name} has not heard ${what} within ${patience} ms`)), patience);
    try {
      while (!isSo()) await Promise.race([promise, new Promise<void>((resolve) => void this.#told.push(resolve))]);
    } finally {
      clearTimeout(late);
    }
  }

  /** Everything that it was told, once there is as much. */
  async changes(count: number): Promise<readonly Change[]> {
    const all = (): readonly Change[] => this.frames.flatMap(({ items }) => items);
    await this.until(() => all().length >= count, `${count} changes`);
    return all();
  }

  async noticed(count: number): Promise<readonly Notice[]> {
    const all = (): readonly Notice[] => this.notices.flatMap(({ items }) => items);
    await this.until(() => all().length >= count, `${count} notices`);
    return all();
  }

  /** From here on. */
  forget(): void {
    this.frames.length = 0;
    this.notices.length = 0;
  }
}

export function kept(topic: string, limits: Partial<Kept> = {}): Kept {
  return { topic, messages: 100, bytes: 1e9, seconds: 3600, epoch: `e${topic.replaceAll(/[^a-z]/g, "")}`, ...limits };
}

export function publish(payload: Data, to: Partial<Publish> = {}): Publish {
  return { type: "publish", kept: [], topics: [], payload, tag: word(), time: 1000, ...to };
}

export function record(part: Partial<SessionRecord> = {}): SessionRecord {
  return { snapshot: "snapshot", acknowledged: 0, epoch: "o", own: [], ...part };
}
