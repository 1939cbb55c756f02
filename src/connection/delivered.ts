/** A message of a client with delivery, which learns when its hook has ended. */
import type { Data } from "../api/connection.ts";

export interface Delivered {
  readonly data: Data;
  /** See `MessageInfo`. */
  readonly messageId: string;
  /** Its hook has ended, well or not, or it needs none: it is never given again. Must not throw. */
  done(): void;
}
