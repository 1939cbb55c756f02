/** The messages of one topic in the file. Those of a turn become one row, which is never written again, but for the one that a cut goes through. */
import type { LogRows } from "../../src/ports.ts";
import { bytesOf } from "./driver.ts";
import type { LastWrite } from "./turn.ts";
import type { RoomRows } from "./rooms.ts";

/** A row is full at either limit. */
const mostEntries = 64;
const mostLetters = 64 * 1024;
/** Messages that may be left behind those that are needed, so that a delete is worth its while. */
const slack = 64;

export class TopicRows implements LogRows, LastWrite {
  readonly #rooms: RoomRows;
  readonly #room: string;
  readonly #name: string;
  /** The number of the topic's row, in the generation in which it was read. */
  #id: number | undefined;
  #generation = -1;
  /** Encoded messages of this turn that are in no row yet. */
  #batch: string[] = [];
  /** The offset of the last of them. */
  #last = 0;
  #letters = 0;
  #trimmed = 0;

  constructor(rooms: RoomRows, room: string, name: string) {
    this.#rooms = rooms;
    this.#room = room;
    this.#name = name;
  }

  load(): Iterable<string> {
    this.#rooms.database.flush();
    const id = this.#known();
    if (id === undefined) return [];
    return this.#rooms.database.all("SELECT entries FROM log WHERE topic = ? ORDER BY last", id).map(({ entries }) => String(entries));
  }

  append(offset: number, text: string): void {
    if (this.#batch.length === 0) {
      this.#rooms.begin(this.#room);
      this.#rooms.database.atLast(this);
    } else this.#rooms.database.check();
    this.#batch.push(text);
    this.#last = offset;
    this.#letters += text.length;
    if (this.#batch.length >= mostEntries || this.#letters >= mostLetters) this.write();
  }

  write(): void {
    if (this.#batch.length === 0) return;
    const first = this.#last - this.#batch.length + 1;
    const row = `[${first},${this.#batch.join()}]`;
    this.drop();
    this.#rooms.database.run("INSERT INTO log(topic, last, entries) VALUES(?, ?, ?)", this.#created(), this.#last, row);
  }

  drop(): void {
    this.#batch = [];
    this.#letters = 0;
  }

  trim(offset: number): void {
    if (offset - this.#trimmed < slack) return;
    this.#trimmed = offset;
    const id = this.#known();
    if (id === undefined) return;
    try {
      this.#rooms.begin(this.#room);
      this.#rooms.database.run("DELETE FROM log WHERE topic = ? AND last < ?", id, offset);
    } catch {
      // The turn is undone, and tells why.
    }
  }

  cut(offset: number, last: string): void {
    const { database } = this.#rooms;
    this.#rooms.begin(this.#room);
    database.flush();
    const id = this.#known();
    const row =
      id === undefined
        ? undefined
        : database.get("SELECT id, entries FROM log WHERE topic = ? AND last >= ? ORDER BY last", id, offset - 1);
    if (id === undefined || row === undefined) return;
    const [first, ...entries] = JSON.parse(String(row["entries"])) as [number, ...unknown[]];
    const rest = entries.slice(offset - first).map((entry) => JSON.stringify(entry));
    database.atomically(() => {
      database.run("DELETE FROM log WHERE topic = ? AND last < ?", id, offset - 1);
      if (first < offset)
        database.run("UPDATE log SET entries = ? WHERE id = ?", `[${[offset - 1, last, ...rest].join()}]`, Number(row["id"]));
    });
  }

  #known(): number | undefined {
    if (this.#generation === this.#rooms.generation && this.#id !== undefined) return this.#id;
    this.#generation = this.#rooms.generation;
    const room = this.#rooms.idOf(this.#room);
    const row =
      room === undefined
        ? undefined
        : this.#rooms.database.get("SELECT id FROM topic WHERE room = ? AND name = ?", room, bytesOf(this.#name));
    return (this.#id = row === undefined ? undefined : Number(row["id"]));
  }

  #created(): number {
    return (this.#id =
      this.#known() ??
      this.#rooms.database.run("INSERT INTO topic(room, name) VALUES(?, ?)", this.#rooms.created(this.#room), bytesOf(this.#name)).id);
  }
}
