/** The option `storage` of the handler `stored`: values in memory, each answer a moment later. A Durable Object keeps them in its SQLite. */
import type { RoomValues, StorageOption } from "edgewire";
import type { HandlerName } from "./handler.ts";

const rooms = new Map<string, Map<string, string>>();

export function storageOf(name: HandlerName): { readonly storage?: StorageOption } {
  return name === "stored" ? { storage: valuesOf } : {};
}

function valuesOf(room: string): RoomValues {
  const values = rooms.get(room) ?? new Map<string, string>();
  rooms.set(room, values);
  const later = async <T>(answer: T): Promise<T> => {
    await new Promise((resolve) => setTimeout(resolve, 0));
    return answer;
  };
  return {
    get: (key) => later(values.get(key)),
    set: (key, value) => later(values.set(key, value)),
    delete: (key) => later(values.delete(key)),
    // The keys of its cases are ASCII.
    list({ prefix, after = "", limit }) {
      const keys = [...values.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
      return later(keys.slice(0, limit).map((key) => [key, values.get(key) ?? ""] as const));
    },
    clear: () => later(values.clear()),
    apply(changes) {
      for (const [key, value] of changes) {
        if (value === undefined) values.delete(key);
        else values.set(key, value);
      }
      return later(undefined);
    },
  };
}
