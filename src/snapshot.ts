/** Snapshots as they are stored: encoded, and never larger than the smallest store that there is. */
import { encode } from "./codec.ts";
import { sizeAtMost } from "./data.ts";
import { maxSnapshot } from "./limits.ts";
import type { Snapshot } from "./types.ts";

/** @throws TypeError for state that can't be stored, RangeError when the whole is too large. */
export function encodeSnapshot(snapshot: Snapshot): string {
  const encoded = encode(snapshot);
  const bytes = sizeAtMost(encoded, maxSnapshot);
  if (bytes > maxSnapshot) {
    throw new RangeError(`the connection's state, topics and URL take ${bytes} bytes encoded: at most ${maxSnapshot} can be stored`);
  }
  return encoded;
}
