/** The runtime's own clock and timers. */
import type { Clock } from "../ports.ts";

export const globalClock: Clock = {
  setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
  clearTimeout: (timer) => clearTimeout(timer as number),
  now: () => Date.now(),
  elapsed: () => performance.now(),
};
