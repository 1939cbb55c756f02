/**
 * On SIGTERM and SIGINT every server that `serve` has started closes; then the process ends by itself, with its usual exit status. The first signal
 * removes our listeners, so that a second one ends the process immediately. The application's own listeners are neither removed nor waited for.
 */
import { log } from "../../src/values/log.ts";
import { resolveClose } from "../../src/server/shutdown.ts";
import type { CloseOptions } from "../../src/server/shutdown.ts";
import { handled, raiseAfter } from "./raise.ts";
import type { Process, Signal } from "./raise.ts";
import type { SignalOptions } from "./serve.ts";

export type { Process } from "./raise.ts";

interface Closer {
  /** Milliseconds that `close` may take. */
  readonly deadline: number;
  readonly raise: boolean;
  close(): Promise<void>;
}

const closers = new Set<Closer>();

/** Closes the server on a signal. Returns a function that unregisters it, for a server that closes earlier. */
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
  const failed = (error: unknown): void => log("error", "the server could not be closed [EW643]:", error);
  const closed = Promise.all(servers.map((server) => server.close().catch(failed)));
  // The list is empty if a listener of the application has closed all servers.
  if (servers.length === 0 || servers.some((server) => !server.raise)) return;
  void raiseAfter(process, signal, Math.max(...servers.map(({ deadline }) => deadline)), closed);
}

/**
 * Creates the `close` of a server. It runs once, and also on a signal unless `signals` is false.
 * @param end closes the connections, then the port. Its argument `inTime` waits for a promise, at most until the deadline.
 */
export function closable(
  process: Process,
  signals: SignalOptions | false | undefined,
  end: (options: CloseOptions | undefined, inTime: (closed: Promise<unknown>) => Promise<void>) => Promise<void>,
): (options?: CloseOptions) => Promise<void> {
  let closed: Promise<void> | undefined;
  let unregister = (): void => {};
  const begin = async (options: CloseOptions | undefined): Promise<void> => {
    const deadline = performance.now() + resolveClose(options).deadline;
    unregister();
    await end(options, (promise) => waitAtMost(deadline - performance.now(), promise));
  };
  const close = (options?: CloseOptions): Promise<void> => (closed ??= begin(options));
  if (signals !== false) {
    const { raise = true, ...options } = signals ?? {};
    unregister = closeOnSignal(process, { deadline: resolveClose(options).deadline, raise, close: () => close(options) });
  }
  return async (options) => {
    // Invalid options must throw before anything is closed.
    resolveClose(options);
    await close(options);
  };
}

/** Waits for the promise, at most that long, but for at least 100 ms, so that idle servers can finish closing. */
export async function waitAtMost(milliseconds: number, closed: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, Math.max(milliseconds, 100))));
  await Promise.race([closed, late]);
  clearTimeout(timer);
}
