/**
 * Listening to a signal disables its default action. Whatever keeps the process alive after its servers have closed (an interval, a pool, a
 * watcher) would then keep it for ever: at the deadline the signal is raised again, with our listeners removed.
 */
import { log } from "../../src/values/log.ts";

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

/** Milliseconds that a process gets to end by itself. On a change Deno's watcher waits 500 for the old program before it drops it. */
const moment = 1000;

/**
 * Raises the signal when the deadline has passed and the servers have been closed for a moment, and at the latest two moments after the deadline,
 * even if they never close. The timers don't keep the process alive.
 */
export async function raiseAfter(process: Process, signal: Signal, deadline: number, closed: Promise<unknown>): Promise<void> {
  // Bun's watchers keep the process alive, but run no timers unless one of these does too (1.4.5, measured). It can't end by itself.
  const watched = process.execArgv.some((argument) => argument === "--hot" || argument === "--watch");
  const rested = closed.then(() => pause(moment, watched));
  const due = watched ? rested : Promise.all([rested, pause(deadline)]);
  const latest = pause(deadline, watched).then(() => pause(2 * moment, watched));
  await Promise.race([due, latest]);
  raise(process, signal);
}

function raise(process: Process, signal: Signal): void {
  const still = `the process is still running after ${signal}: something other than its servers keeps it alive (a timer, a pool, a watcher)`;
  if (process.listenerCount(signal) > 0) {
    log("warn", `${still}. It is left to the other listener for ${signal}`);
    return;
  }
  log("warn", `${still}. Raising ${signal} again to end it; signals: { raise: false } turns this off`);
  try {
    // For PID 1 the kernel ignores a signal without a listener; Deno crashes (SIGSEGV).
    if (process.pid !== 1) return void process.kill(process.pid, signal);
  } catch (error) {
    log("warn", `${signal} could not be raised, exiting instead:`, error);
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
