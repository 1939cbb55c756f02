/** A room's values in its object's SQLite storage: written at once for this object, and on disk before anything that follows is seen outside. */
import type { Store } from "../src/types.ts";

/** What the adapters use of a `DurableObjectStorage`. */
export interface ObjectStorage {
  setAlarm(time: number): Promise<void>;
  deleteAlarm(): Promise<void>;
  /** Synchronous, of classes made with new_sqlite_classes alone. */
  readonly kv?: {
    get(key: string): unknown;
    put(key: string, value: unknown): void;
    delete(key: string): boolean;
  };
}

/** Before each of our keys: an application's class may store things of its own. */
const prefix = "edgewire:";

export function durableStore({ kv }: ObjectStorage): Store {
  const needed = (): NonNullable<typeof kv> => {
    if (kv !== undefined) return kv;
    throw new Error(
      "the room's class has no SQLite storage: list it in wrangler.toml under [[migrations]] new_sqlite_classes, not new_classes",
    );
  };
  return {
    get: (key) => kv?.get(prefix + key) as string | undefined,
    set: (key, value) => needed().put(prefix + key, value),
    delete: (key) => void needed().delete(prefix + key),
  };
}
