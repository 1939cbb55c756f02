/** How a connection ends. Made when it does, or when somebody waits for it: most of the time a connection needs none of it. */
import type { Closing } from "../api/connection.ts";

export class Ending {
  closing: Closing | undefined;
  /** Its room could not be opened. */
  refused = false;
  /** Of its `signal`, where somebody has asked for that. */
  controller: AbortController | undefined;
  timer: unknown;
  /** It was counted, and its close hook was called: neither is done again where the rest of its end is. */
  counted = false;
  hooked = false;
  /** Its client still keeps the socket: it counts among those that linger. */
  lingers = false;
  finished: PromiseWithResolvers<void> | undefined;
  /** Pending close hook, and the room's. */
  over: Promise<void> | undefined;
}
