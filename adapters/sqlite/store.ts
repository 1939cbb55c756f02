/** What one room keeps in the file: the core's port for values and logs. */
import type { LogRows, Store, StoreRange } from "../../src/ports.ts";
import { compareUtf8 } from "../../src/values/text.ts";
import { bytesOf, endOf, textOf } from "./driver.ts";
import { TopicRows, deleteRows } from "./log.ts";
import type { RoomRows } from "./rooms.ts";

export class RoomStore implements Store {
  readonly #rooms: RoomRows;
  readonly #room: string;

  constructor(rooms: RoomRows, room: string) {
    this.#rooms = rooms;
    this.#room = room;
  }

  get(key: string): string | undefined {
    const id = this.#id;
    const row = id === undefined ? undefined : this.#database.get("SELECT value FROM value WHERE room = ? AND key = ?", id, bytesOf(key));
    return row === undefined ? undefined : String(row["value"]);
  }

  set(key: string, value: string): void {
    this.#rooms.begin(this.#room);
    this.#database.run(
      "INSERT INTO value(room, key, value) VALUES(?, ?, ?) ON CONFLICT(room, key) DO UPDATE SET value = excluded.value",
      this.#rooms.created(this.#room),
      bytesOf(key),
      value,
    );
  }

  delete(key: string): boolean {
    const id = this.#id;
    if (id === undefined || this.get(key) === undefined) return false;
    this.#rooms.begin(this.#room);
    this.#database.run("DELETE FROM value WHERE room = ? AND key = ?", id, bytesOf(key));
    this.#rooms.shrunk(this.#room, id);
    return true;
  }

  list({ prefix, after, limit }: StoreRange): Iterable<readonly [key: string, value: string]> {
    const id = this.#id;
    if (id === undefined) return [];
    // The first key after another is that key with a zero byte.
    const from = after !== undefined && compareUtf8(after, prefix) >= 0 ? `${after}\0` : prefix;
    const rows = this.#database.all(
      "SELECT key, value FROM value WHERE room = ? AND key >= ? AND key < ? ORDER BY key LIMIT ?",
      id,
      bytesOf(from),
      endOf(prefix),
      Math.min(limit ?? -1, Number.MAX_SAFE_INTEGER),
    );
    return rows.map((row) => [textOf(row["key"]), String(row["value"])] as const);
  }

  clear(prefix: string): void {
    const id = this.#id;
    if (id === undefined) return;
    this.#database.flush();
    const range = [id, bytesOf(prefix), endOf(prefix)] as const;
    const found = (table: string, name: string): boolean =>
      this.#database.get(`SELECT 1 FROM ${table} WHERE room = ? AND ${name} >= ? AND ${name} < ? LIMIT 1`, ...range) !== undefined;
    const [hasValues, hasTopics] = [found("value", "key"), found("topic", "name")];
    if (!hasValues && !hasTopics) return;
    this.#rooms.begin(this.#room);
    if (hasValues) this.#database.run("DELETE FROM value WHERE room = ? AND key >= ? AND key < ?", ...range);
    if (hasTopics) {
      const topics = "FROM topic WHERE room = ? AND name >= ? AND name < ?";
      for (const row of this.#database.all(`SELECT id ${topics}`, ...range)) deleteRows(this.#database, Number(row["id"]));
      this.#database.run(`DELETE ${topics}`, ...range);
      this.#rooms.generation++;
    }
    this.#rooms.shrunk(this.#room, id);
  }

  atomically(write: () => void): void {
    this.#rooms.begin(this.#room);
    try {
      this.#database.atomically(write);
    } catch (error) {
      // Rows that it has made are gone.
      this.#rooms.forget();
      throw error;
    }
  }

  /** Rejects if what was written can't be stored, unless the time is over first. */
  sync(patience?: number): Promise<void> {
    const { pending = Promise.resolve() } = this.#database;
    return patience === undefined ? pending : within(patience, pending);
  }

  log(prefix: string): LogRows {
    return new TopicRows(this.#rooms, this.#room, prefix);
  }

  get #id(): number | undefined {
    return this.#rooms.idOf(this.#room);
  }

  get #database(): RoomRows["database"] {
    return this.#rooms.database;
  }
}

declare function setTimeout(callback: () => void, milliseconds: number): unknown;
declare function clearTimeout(timer: unknown): void;

async function within(milliseconds: number, pending: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, milliseconds);
  try {
    await Promise.race([pending, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
