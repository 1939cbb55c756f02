/**
 * SIGTERM and SIGINT close every server that `serve` has started, and then the process ends by itself, with the status that it has
 * anyway. The first signal takes our listeners away, so that a second one ends the process at once, as if there had never been any.
 * Other listeners are neither removed nor waited for: an application that handles a signal itself is told of it as before.
 */
import { log } from "../../src/values/log.ts";
import { resolveClose } from "../../src/server/shutdown.ts";
import type { CloseOptions } from "../../src/server/shutdown.ts";
import { handled, raiseAfter } from "./raise.ts";
import type { Process, Signal } from "./raise.ts";
import type { SignalOptions } from "./serve.ts";

export type { Process } from "./raise.ts";

interface Closer {
  /** Milliseconds that `close` takes at most. */
  readonly deadline: number;
  readonly raise: boolean;
  close(): Promise<void>;
}

const closers = new Set<Closer>();

/** Has the server closed by a signal; returns what takes that back, for when it is closed already. */
function closeOnSignal(process: Process, closer: Closer): () => void {
  if (listeners === undefined) {
    listeners = handled.map((signal) => [signal, () => closeAll(process, signal)]);
    for (const [signal, listener] of listeners) process.on(signal, listener);
  }
  closers.add(closer);
  return () => {
    closers.delete(closer);
    if (closers.size === 0) stop(process);
  };
}

let listeners: readonly (readonly [signal: Signal, listener: () => void])[] | undefined;

function stop(process: Process): void {
  for (const [signal, listener] of listeners ?? []) process.off(signal, listener);
  listeners = undefined;
}

function closeAll(process: Process, signal: Signal): void {
  stop(process);
  const servers = [...closers];
  closers.clear();
  const failed = (error: unknown): void => log("error", "the server could not be closed:", error);
  const closed = Promise.all(servers.map((server) => server.close().catch(failed)));
  // None is left where a listener of the application has closed them by itself.
  if (servers.length === 0 || servers.some((server) => !server.raise)) return;
  void raiseAfter(process, signal, Math.max(...servers.map(({ deadline }) => deadline)), closed);
}

/**
 * `close` of a server: once, and by a signal unless `signals` is false.
 * @param end closes the connections, then the port; `left` waits for a promise no longer than the deadline allows.
 */
export function closable(
  process: Process,
  signals: SignalOptions | false | undefined,
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
  if (signals !== false) {
    const { raise = true, ...options } = signals ?? {};
    forget = closeOnSignal(process, { deadline: resolveClose(options).deadline, raise, close: () => close(options) });
  }
  return async (options) => {
    // What is wrong with the options closes nothing.
    resolveClose(options);
    await close(options);
  };
}

/** Waits no longer than that; at least a turn, for what is idle already. */
export async function within(milliseconds: number, closed: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, Math.max(milliseconds, 100))));
  await Promise.race([closed, late]);
  clearTimeout(timer);
}
