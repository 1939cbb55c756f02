/** Erases what a room keeps in its store: everything but the states of its connections, which go when these have ended. */
import { dueKey } from "../../history/expiry.ts";
import { historyPrefix } from "../../history/keys.ts";
import type { Store } from "../../ports.ts";
import { duePrefixes } from "../due/due.ts";
import { valuePrefix } from "../storage.ts";

/** Whatever a room stores has one of these. */
const prefixes = [valuePrefix, historyPrefix, dueKey, ...duePrefixes];

/** Call it within `atomically`. @param pendingDeletions of rows that no connection owns any more. @throws what the store throws. */
export function eraseStored(store: Store, pendingDeletions: readonly (() => void)[]): void {
  for (const prefix of prefixes) store.clear(prefix);
  for (const drop of pendingDeletions) drop();
}
