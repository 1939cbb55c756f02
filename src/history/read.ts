/** Reads one topic's history. */
import type { ReplayedLog } from "./replay.ts";
import type { History, HistoryReader } from "../api/history.ts";

export function readHistory(log: ReplayedLog, { after, limit }: HistoryReader, now: number): History {
  if (limit !== undefined && (!Number.isInteger(limit) || limit < 1)) {
    throw new RangeError(`history: limit is ${String(limit)}: must be a whole number from 1 [EW306]`);
  }
  checkAfter(after);
  const { entries, complete } = log.since(after, now);
  const shown = entries.slice(0, limit).map((entry) => log.shown(entry));
  const position = (shown.length < entries.length ? shown.at(-1)?.position : undefined) ?? log.position;
  return { entries: shown, complete, position };
}

/** @throws TypeError if it is not a string; any other text is an unknown position. */
export function checkAfter(after: unknown): void {
  if (after !== undefined && typeof after !== "string")
    throw new TypeError(`history: "after" must be a position, not ${typeof after} [EW307]`);
}
