/**
 * SIGTERM and SIGINT close every server that `serve` has started, and then the process ends by itself, with the status that it has
 * anyway. The first signal takes our listeners away, so that a second one ends the process at once, as if there had never been any.
 * Other listeners are neither removed nor waited for: an application that handles a signal itself is told of it as before.
 */

import { resolveClose } from "../src/shutdown.ts";
import type { CloseOptions } from "../src/shutdown.ts";

/** Node's `process`, as far as it is used; Bun and Deno have it too. */
export interface Process {
  on(signal: Signal, listener: () => void): unknown;
  off(signal: Signal, listener: () => void): unknown;
}

type Signal = (typeof handled)[number];
const handled = ["SIGTERM", "SIGINT"] as const;

const closers = new Set<() => Promise<void>>();

/** Has the server closed by a signal; returns what takes that back, for when it is closed already. */
function closeOnSignal(process: Process, close: () => Promise<void>): () => void {
  const closeAll = (): void => {
    for (const one of closers) one().catch((error: unknown) => console.error("edgewire: the server could not be closed:", error));
    closers.clear();
  };
  if (listening === undefined) {
    listening = () => {
      stop(process);
      closeAll();
    };
    for (const signal of handled) process.on(signal, listening);
  }
  closers.add(close);
  return () => {
    closers.delete(close);
    if (closers.size === 0) stop(process);
  };
}

let listening: (() => void) | undefined;

function stop(process: Process): void {
  if (listening !== undefined) for (const signal of handled) process.off(signal, listening);
  listening = undefined;
}

/**
 * `close` of a server: once, and by a signal unless `signals` is false.
 * @param end closes the connections, then the port; `left` waits for a promise no longer than the deadline allows.
 */
export function closable(
  process: Process,
  signals: CloseOptions | false | undefined,
  end: (options: CloseOptions | undefined, left: (closed: Promise<unknown>) => Promise<void>) => Promise<void>,
): (options?: CloseOptions) => Promise<void> {
  let closed: Promise<void> | undefined;
  let forget = (): void => {};
  const begin = async (options: CloseOptions | undefined): Promise<void> => {
    const deadline = performance.now() + resolveClose(options).deadline;
    forget();
    await end(options, (promise) => within(deadline - performance.now(), promise));
  };
  const close = (options?: CloseOptions): Promise<void> => (closed ??= begin(options));
  if (signals !== false) forget = closeOnSignal(process, () => close(signals));
  return async (options) => {
    // What is wrong with the options closes nothing.
    resolveClose(options);
    await close(options);
  };
}

/** At least a turn, for what is idle already. */
async function within(milliseconds: number, closed: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, Math.max(milliseconds, 100))));
  await Promise.race([closed, late]);
  clearTimeout(timer);
}
