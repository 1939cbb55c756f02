/** The text in which a page leaves its session to the next one. A storage that throws stops nothing. */
import type { DeliveryStore } from "./types.ts";

/** "" for nothing. */
export function load({ storage, key }: DeliveryStore): string {
  try {
    return storage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

export function save({ storage, key }: DeliveryStore, stored: string): void {
  try {
    storage.setItem(key, stored);
  } catch {
    // What an earlier call has stored is no longer true.
    if (stored !== "") save({ storage, key }, "");
  }
}
