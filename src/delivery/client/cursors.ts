/**
 * What a client has of each log that it reads. It trusts nobody in between: an entry is given on only if it is the next of its log and was not given on
 * already, whatever was lost, repeated or reordered on the way.
 */
import { formatPosition, parsePosition } from "../../protocol/positions.ts";
import type { Position } from "../../protocol/positions.ts";
import { isCount } from "./controls.ts";
import { isShared, maxLogs } from "../frames.ts";
import type { Introduction, Reference } from "../frames.ts";

/** Tags of a log that are remembered: after it has lost its end, entries come again under other offsets. */
const mostTags = 64;
/** Tags of entries in several logs that are remembered: they may come once from each. */
const mostShared = 256;

export interface Cursor {
  /** The number of the subscription; undefined for the connection's own log. */
  readonly subscription: number | undefined;
  readonly topic: string | undefined;
  epoch: string;
  offset: number;
  tag: string;
  /** Of the last entries, the oldest first. */
  readonly tags: string[];
  /** The log was rewound: entries with these tags come again. */
  again: Set<string> | undefined;
  /**
   * What the server was told. `"missing"`: entries are. `"unsure"`: where the client was in an earlier session, since which the log may have lost its end.
   * `"lost"`: it has, so nothing of it is given on until the gap comes.
   */
  asked: "missing" | "unsure" | "lost" | undefined;
}

/**
 * Where a client is in a log. It has the topic for its number until the session has introduced it. After a reload entries that a rewound log sends again are
 * not known.
 */
export type Place = readonly [
  log: number | string,
  position: string,
  topic: string | null | undefined,
  subscription: number | null | undefined,
];

/** What is to be said when a subscription begins. */
export interface Begun {
  /** The server: positions by log. */
  readonly at?: Readonly<Record<string, string>>;
  /** The application: of a gap. */
  readonly why?: "old" | "lost";
}

export class Cursors {
  /** By number, or by topic: those of earlier sessions. */
  #logs = new Map<number | string, Cursor>();
  /** Of entries in several logs, the oldest first. */
  #shared = new Set<string>();

  /** Another session begins, and numbers logs anew. Where the client is in topics stays known. */
  renew(): void {
    const known = [...this.#logs.values()].filter(({ topic }) => topic !== undefined).slice(-maxLogs);
    this.#logs = new Map(known.map((cursor) => [cursor.topic as string, cursor]));
  }

  /** A subscription begins after a valid position. */
  begin({ n, s, topic, at }: Introduction): Begun {
    const known = this.#logs.get(n);
    // Told again, because the client did not say where it is: it knows better.
    if (known !== undefined && known.subscription === s) return {};
    const position = parsePosition(at) as Position;
    const cursor: Cursor = {
      tags: [],
      again: undefined,
      ...position,
      ...this.#logs.get(topic ?? n),
      subscription: s,
      topic,
      asked: undefined,
    };
    this.#logs.delete(topic ?? n);
    this.#logs.set(n, cursor);
    const hasEpoch = cursor.epoch === position.epoch;
    if (hasEpoch && cursor.offset === position.offset && cursor.tag === position.tag) return {};
    if (hasEpoch && cursor.offset > position.offset) {
      // Both it and the server go on from there, or a gap says why not.
      cursor.asked = "unsure";
      return { at: { [n]: positionOf(cursor) } };
    }
    const why = hasEpoch && cursor.offset < position.offset ? "old" : "lost";
    this.skip(n, at, why);
    return { why };
  }

  end(log: number): void {
    this.#logs.delete(log);
  }

  /** Entries are gone: goes on after a valid position. Returns undefined if the log is unknown, or the client has them. */
  skip(log: number, from: string, why: "old" | "lost"): Cursor | undefined {
    const cursor = this.#logs.get(log);
    const position = parsePosition(from) as Position;
    if (cursor === undefined) return undefined;
    const isBack = position.epoch === cursor.epoch && position.offset <= cursor.offset;
    // A new session does not know yet where the client is.
    if (isBack && why === "old") return undefined;
    if (isBack || position.epoch !== cursor.epoch) cursor.again = new Set(cursor.tags);
    return Object.assign(cursor, position, { asked: undefined });
  }

  /** Moves the cursors of the logs that an entry is in. Returns whether it is to be given on. */
  take(references: readonly Reference[]): boolean {
    let had = false;
    let moved = false;
    for (const { log, offset, tag } of references) {
      const cursor = this.#logs.get(log);
      // One that is missing an earlier entry does not move: it is asked for.
      if (cursor === undefined || cursor.asked === "lost" || offset > cursor.offset + 1) continue;
      if (offset > cursor.offset) {
        moved = true;
        if (cursor.again?.has(tag) === true) had = true;
        move(cursor, offset, tag);
      } else if (cursor.asked !== "unsure") had = true;
      else if (offset === cursor.offset && tag !== cursor.tag) cursor.asked = "lost";
    }
    return moved && !this.#hadElsewhere(references) && !had;
  }

  /** Positions of the logs in which entries are missing, each of them once; undefined for none. */
  missing(references: readonly Reference[]): Record<string, string> | undefined {
    const asked: Record<string, string> = {};
    for (const { log, offset } of references) {
      const cursor = this.#logs.get(log);
      if (cursor === undefined || cursor.asked !== undefined || offset <= cursor.offset + 1) continue;
      cursor.asked = "missing";
      asked[log] = positionOf(cursor);
    }
    return Object.keys(asked).length === 0 ? undefined : asked;
  }

  /** The socket is lost: what it was asked for is asked for anew. */
  lost(): void {
    for (const cursor of this.#logs.values()) cursor.asked = undefined;
  }

  get places(): readonly Place[] {
    return Array.from(this.#logs, ([log, cursor]) => [log, positionOf(cursor), cursor.topic, cursor.subscription]);
  }

  /** Those of this session. */
  get numbered(): readonly Place[] {
    return this.places.filter(([log]) => typeof log === "number");
  }

  /** Tags of entries in several logs, which may come once more. */
  get shared(): readonly string[] {
    return Array.from(this.#shared);
  }

  /** Goes on from there. @throws any error if it is damaged: then nothing has changed. */
  restore(places: readonly Place[], shared: readonly string[]): void {
    const logs = new Map(places.map((place) => [place[0], cursorAt(place)]));
    this.#shared = new Set(shared);
    this.#logs = logs;
  }

  /** Whether it came from another log already. Its tag is long enough for that to be no chance. */
  #hadElsewhere(references: readonly Reference[]): boolean {
    const tag = references[0]?.tag ?? "";
    if (!isShared(tag)) return false;
    if (this.#shared.has(tag)) return true;
    this.#shared.add(tag);
    const [oldest] = this.#shared;
    if (oldest !== undefined && this.#shared.size > mostShared) this.#shared.delete(oldest);
    return false;
  }
}

function cursorAt([log, at, topic, subscription]: Place): Cursor {
  const position = parsePosition(at);
  if (position === undefined || !(log === topic || isCount(log))) throw new Error("damaged");
  return { ...position, topic: topic ?? undefined, subscription: subscription ?? undefined, tags: [], again: undefined, asked: undefined };
}

function positionOf({ epoch, offset, tag }: Cursor): string {
  return formatPosition(epoch, offset, tag);
}

function move(cursor: Cursor, offset: number, tag: string): void {
  cursor.offset = offset;
  cursor.tag = tag;
  cursor.asked = undefined;
  cursor.tags.push(tag);
  if (cursor.tags.length > mostTags) cursor.tags.shift();
}
