/** How a connection ends. Made when it does, or when somebody waits for it: most of the time a connection needs none of it. */
import type { Closing } from "./types.ts";

export class Ending {
  closing: Closing | undefined;
  /** Its room could not be opened. */
  refused = false;
  timer: unknown;
  finished: PromiseWithResolvers<void> | undefined;
  /** Pending close hook, and the room's. */
  over: Promise<void> | undefined;
}
