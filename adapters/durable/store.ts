/** A room's values in its object's SQLite storage: written at once for this object, and on disk before anything that follows is seen outside. */
import { log } from "../../src/values/log.ts";
import type { Store } from "../../src/ports.ts";
import { settled } from "./wait.ts";

/** What the adapters use of a `DurableObjectStorage`. */
export interface ObjectStorage {
  getAlarm(): Promise<number | null>;
  setAlarm(time: number): Promise<void>;
  deleteAlarm(): Promise<void>;
  transactionSync<T>(run: () => T): T;
  /** Resolves once everything before it is on disk. */
  sync(): Promise<void>;
  /** Synchronous. In a class that was not made with new_sqlite_classes it throws an Error that says so. */
  readonly kv?: KeyValues;
}

interface KeyValues {
  get(key: string): unknown;
  put(key: string, value: unknown): void;
  delete(key: string): boolean;
  list(range: { prefix: string; startAfter?: string; limit?: number }): Iterable<readonly [string, unknown]>;
}

/** Milliseconds that a run of an alarm's hook waits for the disk. */
const patience = 1000;

/** Before each of our keys: an application's class may store things of its own. */
const prefix = "edgewire:";

export function durableStore(storage: ObjectStorage): Store {
  return {
    atomically: (write) => storage.transactionSync(write),
    get(key) {
      const value = needed(storage).get(prefix + key);
      return value === undefined ? undefined : text(value);
    },
    // As UTF-8, whose size is what the core has checked: V8 would write a string with one letter beyond Latin-1 as UTF-16.
    set: (key, value) => needed(storage).put(prefix + key, new TextEncoder().encode(value)),
    delete: (key) => needed(storage).delete(prefix + key),
    *list(range) {
      const { after, limit } = range;
      const bounds = { ...(after === undefined ? {} : { startAfter: prefix + after }), ...(limit === undefined ? {} : { limit }) };
      const rows = needed(storage).list({ prefix: prefix + range.prefix, ...bounds });
      for (const [key, value] of rows) yield [key.slice(prefix.length), text(value)];
    },
    clear(within) {
      const kv = needed(storage);
      // A write ends the list that is being read, and there may be more than fits in memory.
      for (;;) {
        const keys = Array.from(kv.list({ prefix: prefix + within, limit: 64 }), ([key]) => key);
        for (const key of keys) kv.delete(key);
        if (keys.length < 64) return;
      }
    },
    sync: () => settled(storage.sync(), patience, () => {}),
  };
}

function text(value: unknown): string {
  return new TextDecoder().decode(value as Uint8Array);
}

/** Whether that is what every use of `kv` throws in a class without SQLite: of workerd, and of `needed`. What SQLite itself refuses is "SQLITE_…". */
export function lacksSqlite(error: unknown): boolean {
  return /\bSQLite\b/.test(String(error));
}

/** Bindings that were reported, in this isolate. */
const reported = new Set<string>();

/** At its first connection, rather than when something has to be stored: a deployed class can't be changed. */
export function warnOlder(binding: string): void {
  if (reported.has(binding)) return;
  reported.add(binding);
  log(
    "warn",
    `the class behind env.${binding} has no SQLite storage: room.storage, histories, alarms of rooms, and state that exceeds a socket's attachment will fail. List it in wrangler.toml under [[migrations]] new_sqlite_classes, not new_classes, before it is deployed: afterwards it takes a class of another name`,
  );
}

/** @throws Error that says what wrangler.toml lacks. */
function needed({ kv }: ObjectStorage): KeyValues {
  if (kv !== undefined) return kv;
  throw new Error(
    "the room's class has no SQLite storage: list it in wrangler.toml under [[migrations]] new_sqlite_classes, not new_classes",
  );
}
