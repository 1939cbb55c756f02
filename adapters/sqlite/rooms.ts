/** The rooms of one handler in the file: which there are, and when the next thing in each is due. */
import type { Appointments } from "../../src/ports.ts";
import { bytesOf, textOf } from "./driver.ts";
import type { Database } from "./database.ts";
import type { LastWrite, Writer } from "./turn.ts";

/** Rooms whose row is remembered. */
const most = 10_000;

export class RoomRows implements Appointments, LastWrite {
  readonly database: Database;
  readonly isOne = false;
  readonly #handler: number;
  readonly #writer: Writer;
  readonly #ids = new Map<string, number>();
  /** Rooms in which something was deleted in this turn. */
  readonly #shrunk = new Map<string, number>();
  /** Changes whenever rows may have other numbers than before. */
  generation = 0;
  /** Changes whenever something that was written is undone. */
  undone = 0;

  constructor(database: Database, handler: number, writer: Writer) {
    this.database = database;
    this.#handler = handler;
    this.#writer = writer;
  }

  /** To be called before each write. */
  begin(room: string): void {
    this.database.begin(this.#writer, room);
  }

  /** The number of the room's row; undefined if it keeps nothing. */
  idOf(room: string): number | undefined {
    const known = this.#ids.get(room);
    if (known !== undefined) return known;
    const row = this.database.get("SELECT id FROM room WHERE handler = ? AND name = ?", this.#handler, bytesOf(room));
    return row === undefined ? undefined : this.#remember(room, Number(row["id"]));
  }

  /** `begin` was called. */
  created(room: string): number {
    const known = this.idOf(room);
    if (known !== undefined) return known;
    const { id } = this.database.run("INSERT INTO room(handler, name) VALUES(?, ?)", this.#handler, bytesOf(room));
    return this.#remember(room, id);
  }

  /** Something was deleted: if it was the last, the room's own row goes too, at the end of the turn. */
  shrunk(room: string, id: number): void {
    this.#shrunk.set(room, id);
    this.database.atLast(this);
  }

  write(): void {
    for (const [room, id] of this.#shrunk) this.#tidy(room, id);
    this.#shrunk.clear();
  }

  drop(): void {
    this.#shrunk.clear();
  }

  /** What was remembered may be undone. */
  forget(): void {
    this.#ids.clear();
    this.#shrunk.clear();
    this.generation++;
    this.undone++;
  }

  names(after: string, limit: number): readonly string[] {
    const rows = this.database.all(
      "SELECT name FROM room WHERE handler = ? AND name > ? ORDER BY name LIMIT ?",
      this.#handler,
      bytesOf(after),
      limit,
    );
    return rows.map(({ name }) => textOf(name));
  }

  first(): number | undefined {
    const row = this.database.get("SELECT min(due) AS due FROM room WHERE handler = ? AND due IS NOT NULL", this.#handler);
    return typeof row?.["due"] === "number" ? row["due"] : undefined;
  }

  due(now: number, limit: number): readonly string[] {
    const rows = this.database.all("SELECT name FROM room WHERE handler = ? AND due <= ? ORDER BY due LIMIT ?", this.#handler, now, limit);
    return rows.map(({ name }) => textOf(name));
  }

  of(room: string): number | undefined {
    const id = this.idOf(room);
    const row = id === undefined ? undefined : this.database.get("SELECT due FROM room WHERE id = ?", id);
    return typeof row?.["due"] === "number" ? row["due"] : undefined;
  }

  set(room: string, time: number | undefined): void {
    this.begin(room);
    const id = this.created(room);
    this.database.run("UPDATE room SET due = ? WHERE id = ?", time ?? null, id);
    if (time === undefined) this.shrunk(room, id);
  }

  #tidy(room: string, id: number): void {
    const { changes } = this.database.run(
      `DELETE FROM room WHERE id = ? AND due IS NULL
        AND NOT EXISTS (SELECT 1 FROM value WHERE room = ?) AND NOT EXISTS (SELECT 1 FROM topic WHERE room = ?)`,
      id,
      id,
      id,
    );
    if (changes > 0) this.#ids.delete(room);
  }

  #remember(room: string, id: number): number {
    if (this.#ids.size >= most) this.#ids.clear();
    this.#ids.set(room, id);
    return id;
  }
}
