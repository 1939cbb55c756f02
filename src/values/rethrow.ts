/**
 * Throws an error that a listener threw where it disturbs none of our own steps. The runtime reports it as it reports any error that
 * nobody catches: `error` on a window, `uncaughtException` on Node.
 */
export function rethrow(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
