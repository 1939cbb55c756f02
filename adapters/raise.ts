/**
 * A signal that is listened to has lost its default. What keeps a process whose servers are closed (an interval, a pool, a watcher) would keep
 * it for good: at the deadline the signal is raised once more, and nothing of ours listens any longer.
 */
import { log } from "../src/errors.ts";

/** Node's `process`, as far as it is used; Bun and Deno have it too. */
export interface Process {
  readonly pid: number;
  readonly execArgv: readonly string[];
  on(signal: Signal, listener: () => void): unknown;
  off(signal: Signal, listener: () => void): unknown;
  listenerCount(signal: Signal): number;
  kill(pid: number, signal: Signal): unknown;
  exit(code: number): unknown;
}

export type Signal = keyof typeof numbers;
const numbers = { SIGTERM: 15, SIGINT: 2 } as const;
export const handled: readonly Signal[] = ["SIGTERM", "SIGINT"];

/** Milliseconds in which a process that nothing holds any longer ends by itself. Deno's watcher gives the old program 500. */
const moment = 1000;

/**
 * Raises the signal once the deadline has passed and the process has had a moment since its servers were closed: no later than two moments
 * after the deadline, whatever became of them. Nothing of this holds the process.
 */
export async function raiseAfter(process: Process, signal: Signal, deadline: number, closed: Promise<unknown>): Promise<void> {
  // Bun's watchers hold it for good, and run no timer that does not hold it (1.4.5, measured): there is nothing to wait for.
  const watched = process.execArgv.some((argument) => argument === "--hot" || argument === "--watch");
  const rested = closed.then(() => pause(moment, watched));
  const due = watched ? rested : Promise.all([rested, pause(deadline)]);
  const latest = pause(deadline, watched).then(() => pause(2 * moment, watched));
  await Promise.race([due, latest]);
  raise(process, signal);
}

function raise(process: Process, signal: Signal): void {
  const still = `the process is still there after ${signal}: something other than its servers keeps it (a timer, a pool, a watcher)`;
  if (process.listenerCount(signal) > 0) {
    log("warn", `${still}. There is another listener for ${signal}: the process is left to it`);
    return;
  }
  log("warn", `${still}. ${signal} is raised again to end it; signals: { raise: false } prevents that`);
  try {
    // For the first process of a container the kernel ignores a signal without a listener, and Deno crashes (SIGSEGV).
    if (process.pid !== 1) return void process.kill(process.pid, signal);
  } catch (error) {
    log("warn", `${signal} could not be raised, the process exits:`, error);
  }
  process.exit(128 + numbers[signal]);
}

function pause(milliseconds: number, holding = false): Promise<void> {
  return new Promise((resolve) => {
    const timer: unknown = setTimeout(resolve, milliseconds);
    if (holding) return;
    if (typeof timer === "object") (timer as { unref(): void }).unref();
    else (globalThis as { Deno?: { unrefTimer(timer: unknown): void } }).Deno?.unrefTimer(timer);
  });
}
