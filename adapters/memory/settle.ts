/** Waits until nothing is under way on a server in memory. */
import { integer } from "../../src/values/checks.ts";
import { longestTimer } from "../../src/time/time.ts";
import { nextTask, sleep, within } from "./real.ts";
import type { Traffic } from "./traffic.ts";
import type { Watch } from "./watch.ts";

/** What `settled` takes. */
export interface SettledOptions {
  /** Milliseconds of real time after which it rejects, and says what it waited for. Default: 10 000. */
  readonly deadline?: number;
}

/** What may be under way. */
export interface Moving {
  readonly traffic: Traffic;
  readonly watch: Watch;
  /** Promises that a server waits for before it hibernates. They never reject. */
  running(): readonly PromiseLike<unknown>[];
  /** Settles when what rooms have written is stored; undefined if nothing waits. Never rejects. */
  written(): PromiseLike<unknown> | undefined;
  /** How many timers should have run by now. */
  due(): number;
}

const checkDeadline = integer(1, longestTimer);

/** @throws TypeError, RangeError for a wrong option; Error inside a hook. Rejects at the deadline. */
export async function settled(moving: Moving, options: SettledOptions = {}): Promise<void> {
  const { deadline = 10_000 } = checkOptions(options);
  checkDeadline("deadline", deadline);
  const { inside } = moving.watch;
  if (inside !== undefined)
    throw new Error(`settled() was called inside ${inside}, and would wait for itself: call it in the test [EW817]`);
  await within(deadline, loop, () => new Error(`not settled within ${deadline} ms: it waits for ${describe(moving)} [EW818]`));

  async function loop(late: AbortSignal): Promise<void> {
    while (!late.aborted) {
      const before = activityOf(moving);
      const work = [...moving.watch.pending.keys(), ...moving.running()];
      if (work.length > 0) await Promise.all(work);
      else if (moving.due() > 0) await sleep(1);
      else {
        await idle();
        if (before === activityOf(moving) && isQuiet(moving) && moving.watch.pending.size + moving.running().length === 0) return;
      }
    }
  }
}

/** Milliseconds of real time. */
const longestQuiet = 10_000;

/**
 * Waits until nothing moves any more: what is on its way has arrived, and hooks have come as far as they can without the time going on. Of what a hook
 * waits for elsewhere, a file or a network, nothing is known here.
 */
export async function quiet(moving: Moving): Promise<void> {
  await within(
    longestQuiet,
    loop,
    () => new Error(`the clock can't go on: after ${longestQuiet} ms there still is ${describe(moving)} [EW819]`),
  );

  async function loop(late: AbortSignal): Promise<void> {
    for (let before = -1; !late.aborted && (before !== activityOf(moving) || !isQuiet(moving));) {
      before = activityOf(moving);
      await moving.written();
      await idle();
    }
  }
}

/** Long enough for whatever promises have to pass on. */
async function idle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await nextTask();
}

function activityOf({ traffic, watch }: Moving): number {
  return traffic.activity + watch.activity;
}

function isQuiet(moving: Moving): boolean {
  return moving.traffic.pending === 0 && moving.due() === 0 && moving.written() === undefined;
}

/** What it waits for, in words. */
function describe(moving: Moving): string {
  const { traffic, watch } = moving;
  const all = new Map<string, number>();
  for (const what of watch.pending.values()) all.set(what, (all.get(what) ?? 0) + 1);
  const named = Array.from(all, ([what, count]) => (count === 1 ? what : `${what} (${count} times)`)).slice(0, mostNamed);
  if (all.size > mostNamed) named.push(`${all.size - mostNamed} others`);
  if (traffic.pending > 0) named.push(`${traffic.pending} messages on their way`);
  if (moving.due() > 0) named.push(`${moving.due()} timers that are due`);
  if (named.length === 0 && moving.running().length > 0)
    named.push("room.storage, a scheduled call, or a promise that was given to waitUntil");
  return named.length === 0 ? "messages that follow each other without a pause" : named.join(", ");
}

const mostNamed = 10;

function checkOptions(options: SettledOptions): SettledOptions {
  const unknown = Object.keys(options).find((name) => name !== "deadline");
  if (unknown !== undefined) throw new TypeError(`settled: unknown option "${unknown}": the option is deadline [EW105]`);
  return options;
}
