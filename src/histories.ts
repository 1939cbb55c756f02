/** The histories of a server's rooms, each read when it is first asked for; and publishing where a topic has one. */
import { TopicLog } from "./history.ts";
import type { HistoryRules } from "./history.ts";
import { checkName } from "./text.ts";
import type { History, HistoryReader } from "./room-types.ts";
import type { Store } from "./ports.ts";

/** What a topic keeps; undefined for nothing. */
export type HistoryRule = (topic: string) => HistoryRules | undefined;

export class Histories {
  readonly #rule: HistoryRule;
  readonly #store: (room: string) => Store | undefined;
  readonly #rooms = new Map<string, Map<string, TopicLog>>();

  constructor(rule: HistoryRule, store: (room: string) => Store | undefined) {
    this.#rule = rule;
    this.#store = store;
  }

  /** The log of a topic; undefined where none is kept. */
  find(room: string, topic: string): TopicLog | undefined {
    const known = this.#rooms.get(room)?.get(topic);
    if (known !== undefined) return known;
    const rules = this.#rule(topic);
    if (rules === undefined) return undefined;
    const log = new TopicLog(topic, rules, this.#store(room));
    const logs = this.#rooms.get(room);
    if (logs === undefined) this.#rooms.set(room, new Map([[topic, log]]));
    else logs.set(topic, log);
    return log;
  }
}

/** @throws TypeError for what is no topic, Error for a topic without a history. */
export function logOf(histories: Histories | undefined, room: string, topic: string): TopicLog {
  checkName("topic", topic);
  const log = histories?.find(room, topic);
  if (log !== undefined) return log;
  throw new Error(`topic "${topic}" keeps no history: name it in the handler's option "history"`);
}

export function readHistory(log: TopicLog, { after, limit }: HistoryReader, now: number): History {
  if (limit !== undefined && (!Number.isInteger(limit) || limit < 1)) {
    throw new RangeError(`history: limit is ${String(limit)}: must be a whole number from 1`);
  }
  checkAfter(after);
  const { entries, complete } = log.since(after, now);
  const shown = entries.slice(0, limit).map((entry) => log.shown(entry));
  const position = (shown.length < entries.length ? shown.at(-1)?.position : undefined) ?? log.position;
  return { entries: shown, complete, position };
}

/** @throws TypeError for what is not even text; any other is a position that never was. */
export function checkAfter(after: unknown): void {
  if (after !== undefined && typeof after !== "string") throw new TypeError(`history: "after" must be a position, not ${typeof after}`);
}
