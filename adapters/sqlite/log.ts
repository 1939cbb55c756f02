/** The messages of one topic in the file. Those of a turn become one row, which is never written again, but for the one that a cut goes through. */
import type { LogRows } from "../../src/ports.ts";
import { bytesOf } from "./driver.ts";
import type { Database } from "./database.ts";
import { offsetBits } from "./format.ts";
import type { LastWrite } from "./turn.ts";
import type { RoomRows } from "./rooms.ts";

/** A row is full at either limit. */
const mostEntries = 64;
const mostLetters = 64 * 1024;
/** Messages that may be left behind those that are needed, so that a delete is worth its while. */
const slack = 64;

/** Ids of topics and offsets of messages that fit into the id of a row. */
const mostTopics = 2 ** (63 - offsetBits) - 1;
const mostOffsets = 2 ** offsetBits - 1;
/** The ids of a topic's rows, and where that of an offset is. */
const firstId = `?1 << ${offsetBits}`;
const idAt = `?1 << ${offsetBits} | ?2`;
const lastId = `?1 << ${offsetBits} | ${mostOffsets}`;

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
    const rows = this.#rooms.database.all(`SELECT entries FROM log WHERE id >= ${firstId} AND id <= (${lastId}) ORDER BY id`, id);
    return rows.map(({ entries }) => String(entries));
  }

  /** The topic's row is there already. */
  get isOne(): boolean {
    return this.#known() !== undefined;
  }

  append(offset: number, text: string): void {
    if (offset > mostOffsets) throw new Error(`a topic's history takes ${mostOffsets} messages: delete it, and it begins again`);
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
    this.#rooms.database.run(`INSERT INTO log(id, entries) VALUES(${idAt}, ?3)`, this.#created(), this.#last, row);
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
      deleteBefore(this.#rooms.database, id, offset);
    } catch {
      // The turn is undone, and tells why.
    }
  }

  cut(offset: number, last: string): void {
    const { database } = this.#rooms;
    this.#rooms.begin(this.#room);
    database.flush();
    const id = this.#known();
    const found = id === undefined ? undefined : database.get(rowWith, id, offset - 1);
    if (id === undefined || found === undefined) return;
    const [first, ...entries] = JSON.parse(String(found["entries"])) as [number, ...unknown[]];
    const rest = entries.slice(offset - first).map((entry) => JSON.stringify(entry));
    database.atomically(() => {
      deleteBefore(database, id, offset - 1);
      if (first < offset)
        database.run(
          `UPDATE log SET entries = ?3 WHERE id = ${idAt}`,
          id,
          Number(found["last"]),
          `[${[offset - 1, last, ...rest].join()}]`,
        );
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
    return (this.#id = this.#known() ?? this.#create());
  }

  #create(): number {
    const { database } = this.#rooms;
    const room = this.#rooms.created(this.#room);
    const add = "INSERT INTO topic(id, room, name) VALUES(?, ?, ?)";
    return database.run(add, freeId(database), room, bytesOf(this.#name)).id;
  }
}

/** The row that has a message. */
const rowWith = `SELECT entries, id & ${mostOffsets} AS last FROM log WHERE id >= ${idAt} AND id <= (${lastId}) ORDER BY id LIMIT 1`;

/** Deletes the rows of which all messages are before an offset. */
function deleteBefore(database: Database, topic: number, offset: number): void {
  database.run(`DELETE FROM log WHERE id >= ${firstId} AND id < (${idAt})`, topic, offset);
}

/** Deletes all rows of a topic. */
export function deleteRows(database: Database, topic: number): void {
  database.run(`DELETE FROM log WHERE id >= ${firstId} AND id <= (${lastId})`, topic);
}

/** The next number for a topic; once all were used, any that is free. */
function freeId(database: Database): number {
  const next = Number(database.get("SELECT max(id) AS last FROM topic")?.["last"] ?? 0) + 1;
  if (next <= mostTopics) return next;
  for (;;) {
    const id = 1 + Math.floor(Math.random() * mostTopics);
    if (database.get("SELECT 1 FROM topic WHERE id = ?", id) === undefined) return id;
  }
}
