/** The logs of topics in a backplane in memory. */
import { formatPosition, parsePosition } from "../../protocol/positions.ts";
import { lengthOf } from "../../values/data.ts";
import type { LogState, Page, StoredEntry } from "../backplane.ts";
import type { Kept, Publish } from "../turns.ts";
import type { EntryReference } from "../feed.ts";
import { beginning } from "../mirror-log.ts";
import type { MemoryLog, MemoryState, Step } from "./state.ts";

export function logsOf({ logs, numbers }: MemoryState): readonly LogState[] {
  return Array.from(logs, ([topic, log]) => ({ topic, number: numbers.get(topic) ?? 0, epoch: log.epoch, last: lastOf(log) }));
}

export function pageOf(log: MemoryLog, after: string | undefined, limit: number): Page {
  const { epoch, before, entries } = log;
  const offset = after === undefined ? undefined : offsetOf(log, after);
  const start = offset === undefined ? 0 : offset - before.offset;
  return { epoch, before, known: offset !== undefined, entries: entries.slice(start, start + limit) };
}

/** Undefined if it is neither of an entry that is kept nor of the one before. */
function offsetOf({ epoch, before, entries }: MemoryLog, position: string): number | undefined {
  const offset = parsePosition(position)?.offset ?? -1;
  const at = offset === before.offset ? before : entries[offset - before.offset - 1];
  return at !== undefined && formatPosition(epoch, offset, at.tag) === position ? offset : undefined;
}

function lastOf({ before, entries }: MemoryLog): { readonly offset: number; readonly tag: string } {
  const { offset, tag } = entries.at(-1) ?? before;
  return { offset, tag };
}

export function reserve({ state, changes }: Step, { topic, epoch }: Pick<Kept, "topic" | "epoch">): MemoryLog {
  const known = state.logs.get(topic);
  return known ?? begin(state, changes, topic, epoch);
}

/** The log is another one from now on, under the same number. */
export function replace({ state, changes }: Step, topic: string, epoch: string): void {
  if (state.logs.has(topic)) begin(state, changes, topic, epoch);
}

function begin({ logs, numbers }: MemoryState, changes: Step["changes"], topic: string, epoch: string): MemoryLog {
  const number = numbers.get(topic) ?? Math.max(0, ...numbers.values()) + 1;
  numbers.set(topic, number);
  const log: MemoryLog = { epoch, before: beginning, entries: [] };
  logs.set(topic, log);
  changes.push({ type: "log", topic, number, epoch });
  return log;
}

/** In all its logs at once. */
export function append(step: Step, { kept, payload, except, tag, time }: Publish): readonly EntryReference[] {
  return kept.map((one) => {
    const log = reserve(step, one);
    const offset = lastOf(log).offset + 1;
    log.entries.push({ offset, tag, payload, except, time });
    bound(log, one, time);
    return { topic: one.topic, offset, first: log.before.offset + 1 };
  });
}

function bound(log: MemoryLog, { messages, bytes, seconds }: Kept, now: number): void {
  const { entries } = log;
  const fresh = entries.findIndex(({ time }) => time > now - seconds * 1000);
  const surplus = Math.max(fresh < 0 ? entries.length : fresh, entries.length - messages, surplusIn(entries, bytes));
  const last = entries.splice(0, Math.max(0, surplus)).at(-1);
  if (last !== undefined) log.before = { offset: last.offset, tag: last.tag };
}

/** How many of the oldest entries go until the others are no larger than that. The last one stays. */
function surplusIn(entries: MemoryLog["entries"], bytes: number): number {
  let left = bytes;
  let index = entries.length - 1;
  for (; index >= 0; index--) if ((left -= lengthOf((entries[index] as StoredEntry).payload)) < 0) break;
  return Math.min(index + 1, entries.length - 1);
}
