/**
 * How a room's scheduled calls are stored: a row each, whose key begins with the time of the next run, so that the earliest comes first. A retried
 * call is at another key than the one that its id tells, and an entry says at which.
 */
import { encode, decode } from "../../values/codec.ts";
import { randomWord } from "../../history/position.ts";
import type { Store } from "../../ports.ts";

/** A row. `text` is `[retryCount,time,call,args]`, encoded. */
export interface TaskRow {
  readonly key: string;
  readonly text: string;
}

export const taskPrefix = "task:";
export const againPrefix = "again:";

/** Digits of a time in milliseconds since 1970. */
const digits = 16;
/** The same in base 36, and of a number up to 2^53. */
const idDigits = 11;

/** The last number that an id was made with. */
let last = 0;

/** An id that tells when the call is due. Of calls for the same time, the one that was scheduled first has the lower one. */
export function taskId(time: number, now: number): string {
  last = Math.max(last + 1, Math.floor(Math.max(now, 0)) * 1024);
  return inBase36(keyTime(time)) + inBase36(last) + randomWord();
}

/** Whether it may be an id. */
export function isTaskId(id: string): boolean {
  return /^[0-9a-z]{23,29}$/.test(id);
}

export function rowOf(time: number, call: string, args: string): string {
  return `[0,${encode(time)},${JSON.stringify(call)},${args}]`;
}

/** @throws what `decode` throws. */
export function readRow({ text }: TaskRow): readonly [retryCount: number, time: number, call: string, args: readonly unknown[]] {
  return decode(text) as [number, number, string, unknown[]];
}

export function retryCountOf({ text }: TaskRow): number {
  return Number.parseInt(text.slice(1), 10);
}

export function withRetryCount({ text }: TaskRow, retryCount: number): string {
  return `[${retryCount}${text.slice(text.indexOf(","))}`;
}

export function keyOf(id: string, due: number = Number.parseInt(id.slice(0, idDigits), 36)): string {
  return `${taskPrefix}${String(due).padStart(digits, "0")}:${id}`;
}

export function idOf({ key }: TaskRow): string {
  return key.slice(taskPrefix.length + digits + 1);
}

export function dueOf({ key }: TaskRow): number {
  return Number(key.slice(taskPrefix.length, taskPrefix.length + digits));
}

/** The key of a call's row. */
export function findKey(store: Store, id: string): string {
  return store.get(againPrefix + id) ?? keyOf(id);
}

/** Deletes a call's row; returns whether there was one. @throws what the store throws: then nothing has changed. */
export function deleteRow(store: Store, id: string, key: string): boolean {
  if (key === keyOf(id)) return store.delete(key);
  let existed = false;
  store.atomically(() => {
    existed = store.delete(key);
    store.delete(againPrefix + id);
  });
  return existed;
}

/** Moves a row to the time of its next run. @throws what the store throws: then nothing has changed. */
export function moveRow(store: Store, row: TaskRow, due: number): void {
  const id = idOf(row);
  const key = keyOf(id, keyTime(due));
  store.atomically(() => {
    store.delete(row.key);
    store.set(key, row.text);
    store.set(againPrefix + id, key);
  });
}

/** The time as keys have it: it never comes early. */
export function keyTime(time: number): number {
  return Math.max(Math.ceil(time), 0);
}

function inBase36(number: number): string {
  return number.toString(36).padStart(idDigits, "0");
}
