/** The runtime's own timers, whatever a test puts in their place later: a deadline must pass although the test's clock stands still. */

const { setTimeout, clearTimeout } = globalThis;

/** Whether no test has replaced the global ones. */
export function isReal(): boolean {
  return globalThis.setTimeout === setTimeout;
}

/** Rejects with what `error` returns if the work has not settled in time. @param work gets a signal that aborts then. */
export async function within<T>(milliseconds: number, work: (late: AbortSignal) => Promise<T>, error: () => Error): Promise<T> {
  const late = Promise.withResolvers<never>();
  const controller = new AbortController();
  const timer = setTimeout(() => {
    late.reject(error());
    controller.abort();
  }, milliseconds);
  try {
    return await Promise.race([work(controller.signal), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves in a later turn of the event loop. */
export function nextTask(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  // Fake timers leave it alone, and a page does not delay it. It is not on every version of workerd.
  if (typeof MessageChannel === "undefined") setTimeout(resolve, 0);
  else {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener("message", () => {
      port1.close();
      resolve();
    });
    port1.start();
    port2.postMessage(undefined);
  }
  return promise;
}

/** Resolves after that time. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
