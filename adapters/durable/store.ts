/** A room's values in its object's SQLite storage. Writes are synchronous, and reach the disk before later messages leave the object. */
import { log } from "../../src/values/log.ts";
import type { Store } from "../../src/ports.ts";
import { withTimeout } from "./wait.ts";

/** The part of `DurableObjectStorage` that the adapter uses. */
export interface ObjectStorage {
  getAlarm(): Promise<number | null>;
  setAlarm(time: number): Promise<void>;
  deleteAlarm(): Promise<void>;
  transactionSync<T>(run: () => T): T;
  /** Resolves once all earlier writes are on disk. */
  sync(): Promise<void>;
  /** Synchronous. Throws an Error that says so if the class was not created with new_sqlite_classes. */
  readonly kv?: KeyValues;
}

interface KeyValues {
  get(key: string): unknown;
  put(key: string, value: unknown): void;
  delete(key: string): boolean;
  list(range: { prefix: string; startAfter?: string; limit?: number }): Iterable<readonly [string, unknown]>;
}

/** Prefix of our keys: the application's class may store its own values. */
const prefix = "edgewire:";

export function durableStore(storage: ObjectStorage): Store {
  return {
    atomically: (write) => storage.transactionSync(write),
    get(key) {
      const value = requireKv(storage).get(prefix + key);
      return value === undefined ? undefined : text(value);
    },
    // As UTF-8, whose size the core has checked: V8 would write a string with any character outside Latin-1 as UTF-16.
    set: (key, value) => requireKv(storage).put(prefix + key, new TextEncoder().encode(value)),
    delete: (key) => requireKv(storage).delete(prefix + key),
    *list(range) {
      const { after, limit } = range;
      const bounds = { ...(after === undefined ? {} : { startAfter: prefix + after }), ...(limit === undefined ? {} : { limit }) };
      const rows = requireKv(storage).list({ prefix: prefix + range.prefix, ...bounds });
      for (const [key, value] of rows) yield [key.slice(prefix.length), text(value)];
    },
    clear(within) {
      const kv = requireKv(storage);
      // In batches: a write ends an open list, and all keys may not fit in memory.
      for (;;) {
        const keys = Array.from(kv.list({ prefix: prefix + within, limit: 64 }), ([key]) => key);
        for (const key of keys) kv.delete(key);
        if (keys.length < 64) return;
      }
    },
    sync: (patience) => (patience === undefined ? storage.sync() : withTimeout(storage.sync(), patience, () => {})),
  };
}

function text(value: unknown): string {
  return new TextDecoder().decode(value as Uint8Array);
}

/** Whether the error means a class without SQLite storage, from workerd or `requireKv`. Errors of SQLite itself contain "SQLITE_…". */
export function lacksSqlite(error: unknown): boolean {
  return /\bSQLite\b/.test(String(error));
}

/** Bindings already reported in this isolate. */
const reported = new Set<string>();

/** Warns on the first connection, not only when something must be stored: a deployed class can't be changed. */
export function warnWithoutSqlite(binding: string): void {
  if (reported.has(binding)) return;
  reported.add(binding);
  log(
    "warn",
    `the class behind env.${binding} has no SQLite storage: room.storage, histories, alarms of rooms, and state that exceeds a socket's attachment will fail. List it in wrangler.toml under [[migrations]] new_sqlite_classes, not new_classes, before it is deployed; once deployed, it needs a class with another name [EW711]`,
  );
}

/** @throws Error that says what wrangler.toml lacks. */
function requireKv({ kv }: ObjectStorage): KeyValues {
  if (kv !== undefined) return kv;
  throw new Error(
    "the room's class has no SQLite storage: list it in wrangler.toml under [[migrations]] new_sqlite_classes, not new_classes [EW712]",
  );
}
