/** How a connection ends. Created when it does, or when somebody waits for it: most of the time a connection needs none of it. */
import type { Closing } from "../api/connection.ts";

/** The reason that goes with `CloseCode.unauthorized`. */
export const credentialExpired = "Credential expired";

export class ClosingState {
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
  /** Settles when the close hook, and the room's, has run. */
  over: Promise<void> | undefined;
}
