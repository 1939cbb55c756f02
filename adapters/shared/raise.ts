/**
 * Listening for a signal disables its default action. An interval, a pool or a watcher could then keep the process alive forever after its servers
 * have closed. So at the deadline the signal is raised again, with our listeners removed.
 */
import { log } from "../../src/values/log.ts";

/** The part of Node's `process` that is used here; Bun and Deno have it too. */
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

/** Milliseconds that a process gets to end by itself. On a file change Deno's watcher gives the old program 500 ms. */
const grace = 1000;

/**
 * Raises the signal once the deadline has passed and the servers have been closed for `grace`; at the latest twice `grace` after the deadline, even
 * if they never close. The timers don't keep the process alive.
 */
export async function raiseAfter(process: Process, signal: Signal, deadline: number, closed: Promise<unknown>): Promise<void> {
  // Under Bun's watchers the process can't end by itself, and timers run only if one of them keeps it alive (1.4.5, measured).
  const watched = process.execArgv.some((argument) => argument === "--hot" || argument === "--watch");
  const settled = closed.then(() => sleep(grace, watched));
  const due = watched ? settled : Promise.all([settled, sleep(deadline)]);
  const latest = sleep(deadline, watched).then(() => sleep(2 * grace, watched));
  await Promise.race([due, latest]);
  raise(process, signal);
}

function raise(process: Process, signal: Signal): void {
  const still = `the process is still running after ${signal}: something other than its servers keeps it alive (a timer, a pool, a watcher)`;
  if (process.listenerCount(signal) > 0) {
    log("warn", `${still}. It is left to the other listener for ${signal} [EW639]`);
    return;
  }
  log("warn", `${still}. Raising ${signal} again to end it; signals: { raise: false } turns this off [EW640]`);
  try {
    // For PID 1 the kernel ignores a signal without a listener; Deno crashes (SIGSEGV).
    if (process.pid !== 1) return void process.kill(process.pid, signal);
  } catch (error) {
    log("warn", `${signal} could not be raised, exiting instead [EW641]:`, error);
  }
  process.exit(128 + numbers[signal]);
}

function sleep(milliseconds: number, keepAlive = false): Promise<void> {
  return new Promise((resolve) => {
    const timer: unknown = setTimeout(resolve, milliseconds);
    if (keepAlive) return;
    if (typeof timer === "object") (timer as { unref(): void }).unref();
    else (globalThis as { Deno?: { unrefTimer(timer: unknown): void } }).Deno?.unrefTimer(timer);
  });
}
