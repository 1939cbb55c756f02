/** How a connection ends. Created when it ends or when someone waits for that: an open connection rarely needs it. */
import type { Closing } from "../api/connection.ts";
import type { Resolvers } from "../values/promise.ts";

/** The reason that goes with `CloseCode.unauthorized`. */
export const credentialExpired = "Credential expired";

export class ClosingState {
  closing: Closing | undefined;
  /** Its room could not be opened. */
  refused = false;
  /** The controller of `signal`, once someone has asked for it. */
  controller: AbortController | undefined;
  timer: unknown;
  /** It was counted, and its close hook was called: neither is repeated when the rest of the end is. */
  counted = false;
  hooked = false;
  /** Its client still keeps the socket: it counts as lingering. */
  lingers = false;
  finished: Resolvers<void> | undefined;
  /** Settles when the close hook, and the room's `empty` hook, have run. */
  over: Promise<void> | undefined;
}
