/**
 * Throws a listener's error where it does not interrupt our own steps. The runtime reports it like any uncaught error: `error` on a
 * window, `uncaughtException` on Node.
 */
export function rethrow(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
