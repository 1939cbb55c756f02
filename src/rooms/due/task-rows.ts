/**
 * How a room's scheduled calls are stored: a row each, `task:DUE:…`, so that the earliest comes first. The id begins with the time for which the call was
 * scheduled: its row is at `task:ID`, and that of a call to be retried at `task:DUE:ID`, which the entry `again:ID` says.
 */
import { decode, encode } from "../../values/codec.ts";
import { randomWord } from "../../history/random.ts";
import type { Store } from "../../ports.ts";

/** A row. The text is `[retryCount,time,call,args]`, encoded. */
export type TaskRow = readonly [key: string, text: string];

export const taskPrefix = "task:";
export const againPrefix = "again:";

/** Digits of a number up to 2^53. */
const digits = 16;
const idLength = digits + 1 + digits + 7;

/** The last number that an id was made with. */
let last = 0;

/** An id for that time. Of two for the same time, the one made first comes first. */
export function taskId(time: number, now: number): string {
  last = Math.max(last + 1, Math.floor(Math.max(now, 0)) * 256);
  return `${padded(time)}:${padded(last)}${randomWord().padStart(7, "0")}`;
}

export function rowOf(id: string, time: number, call: string, args: string): TaskRow {
  return [taskPrefix + id, `[0,${encode(time)},${JSON.stringify(call)},${args}]`];
}

/** @throws what `decode` throws. */
export function readRow([, text]: TaskRow): readonly [retryCount: number, time: number, call: string, args: readonly unknown[]] {
  return decode(text) as [number, number, string, unknown[]];
}

export function retryCountOf([, text]: TaskRow): number {
  return Number.parseInt(text.slice(1), 10);
}

export function withRetryCount([, text]: TaskRow, retryCount: number): string {
  return `[${retryCount}${text.slice(text.indexOf(","))}`;
}

export function idOf([key]: TaskRow): string {
  return key.slice(-idLength);
}

export function dueOf([key]: TaskRow): number {
  return Number(key.slice(taskPrefix.length, taskPrefix.length + digits));
}

/** Deletes a call's row; returns whether there was one. @throws what the store throws: then nothing has changed. */
export function deleteRow(store: Store, id: string): boolean {
  if (id.length !== idLength) return false;
  const key = store.get(againPrefix + id);
  if (key === undefined) return store.delete(taskPrefix + id);
  store.atomically(() => {
    store.delete(key);
    store.delete(againPrefix + id);
  });
  return true;
}

/** Moves a row to the time of its next run. @throws what the store throws: then nothing has changed. */
export function moveRow(store: Store, row: TaskRow, text: string, due: number): void {
  const id = idOf(row);
  const key = `${taskPrefix}${padded(due)}:${id}`;
  store.atomically(() => {
    store.delete(row[0]);
    store.set(key, text);
    store.set(againPrefix + id, key);
  });
}

/** Rounded up: it never comes early. */
function padded(number: number): string {
  return String(Math.max(Math.ceil(number), 0)).padStart(digits, "0");
}
