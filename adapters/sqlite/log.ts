/**
 * The messages of one topic in the file. Those of a turn become one row. Rows form a ring: one whose messages are no longer needed is written over by a
 * new one, in the page where it is, so that most turns change one page.
 */
import type { LogRows } from "../../src/ports.ts";
import { bytesOf } from "./driver.ts";
import type { Database } from "./database.ts";
import { slotBits } from "./format.ts";
import type { LastWrite } from "./turn.ts";
import type { RoomRows } from "./rooms.ts";

/** A row is full at either limit. */
const mostEntries = 64;
const mostLetters = 64 * 1024;
/** Rows that may wait to be written over. */
const mostFree = 64;
/** The last number of a topic that fits into the id of a row. */
const mostTopics = 2 ** (63 - slotBits) - 1;

/** The ids of a topic's rows, of the topic's number and that of a row. Node 22.18 does not bind numbered parameters (`?1`). */
const firstId = `? << ${slotBits}`;
const lastId = `? << ${slotBits} | ${2 ** slotBits - 1}`;
const idOf = `? << ${slotBits} | ?`;

/** A row with messages that are needed. */
interface Row {
  readonly slot: number;
  /** The offset of its last message. */
  readonly last: number;
}

export class TopicRows implements LogRows, LastWrite {
  readonly #rooms: RoomRows;
  readonly #room: string;
  readonly #name: string;
  /** The number of the topic's row, in the generation in which it was read. */
  #id: number | undefined;
  #generation = -1;
  /** In order of their messages; as `#undone` was when they were read. */
  #rows: Row[] | undefined;
  #undone = -1;
  /** Rows that may be written over, those with the oldest messages first. */
  #free: number[] = [];
  /** The number of a row that does not exist yet. */
  #next = 0;
  /** Encoded messages of this turn that are in no row yet. */
  #batch: string[] = [];
  /** The offset of the last of them. */
  #last = 0;
  #letters = 0;

  constructor(rooms: RoomRows, room: string, name: string) {
    this.#rooms = rooms;
    this.#room = room;
    this.#name = name;
  }

  load(): Iterable<string> {
    this.#rooms.database.flush();
    return this.#read();
  }

  /** The topic's row is there already. */
  get isOne(): boolean {
    return this.#known() !== undefined;
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
    const last = this.#last;
    const text = `[${last - this.#batch.length + 1},${this.#batch.join()}]`;
    this.drop();
    const id = this.#created();
    const rows = this.#needed();
    const slot = this.#free[0] ?? this.#next;
    this.#rooms.database.run(`REPLACE INTO log(id, entries) VALUES(${idOf}, ?)`, id, slot, text);
    if (this.#free.shift() === undefined) this.#next++;
    rows.push({ slot, last });
  }

  drop(): void {
    this.#batch = [];
    this.#letters = 0;
  }

  trim(offset: number): void {
    try {
      const rows = this.#needed();
      const kept = rows.findIndex(({ last }) => last >= offset);
      this.#free.push(...rows.splice(0, kept < 0 ? rows.length : kept).map(({ slot }) => slot));
      const tooMany = this.#free.length - mostFree;
      const id = this.#known();
      if (tooMany <= 0 || id === undefined) return;
      this.#rooms.begin(this.#room);
      deleteSlots(this.#rooms.database, id, this.#free.slice(0, tooMany));
      this.#free.splice(0, tooMany);
    } catch {
      // The turn is undone, and tells why; or the next write does.
    }
  }

  cut(offset: number, last: string): void {
    const { database } = this.#rooms;
    this.#rooms.begin(this.#room);
    database.flush();
    const id = this.#known();
    const rows = this.#needed();
    const index = rows.findIndex((row) => row.last >= offset - 1);
    const slot = rows[index]?.slot;
    if (id === undefined || slot === undefined) return;
    const [first, ...entries] = JSON.parse(String(database.get(`SELECT entries FROM log WHERE id = ${idOf}`, id, slot)?.["entries"])) as [
      number,
      ...unknown[],
    ];
    const rest = entries.slice(offset - first).map((entry) => JSON.stringify(entry));
    database.atomically(() => {
      deleteSlots(database, id, [...this.#free, ...rows.slice(0, index).map((row) => row.slot)]);
      if (first < offset) {
        const text = `[${[offset - 1, last, ...rest].join()}]`;
        database.run(`UPDATE log SET entries = ? WHERE id = ${idOf}`, text, id, slot);
      }
    });
    this.#free = [];
    rows.splice(0, index);
  }

  #known(): number | undefined {
    if (this.#generation === this.#rooms.generation && this.#id !== undefined) return this.#id;
    this.#generation = this.#rooms.generation;
    const room = this.#rooms.idOf(this.#room);
    const row =
      room === undefined
        ? undefined
        : this.#rooms.database.get("SELECT id FROM topic WHERE room = ? AND name = ?", room, bytesOf(this.#name));
    const id = row === undefined ? undefined : Number(row["id"]);
    if (id !== this.#id) this.#rows = undefined;
    return (this.#id = id);
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

  #needed(): Row[] {
    this.#known();
    if (this.#rows === undefined || this.#undone !== this.#rooms.undone) this.#read();
    return this.#rows ?? [];
  }

  /** Reads which rows there are. Returns them in order of their messages. */
  #read(): readonly string[] {
    const id = this.#known();
    const found =
      id === undefined
        ? []
        : this.#rooms.database.all(
            `SELECT id & ${2 ** slotBits - 1} AS slot, entries FROM log WHERE id >= ${firstId} AND id <= (${lastId})`,
            id,
            id,
          );
    const rows = found.map((row) => ({ slot: Number(row["slot"]), text: String(row["entries"]) }));
    const sorted = rows
      .map((row) => ({ ...row, first: Number.parseInt(row.text.slice(1), 10) }))
      .sort((one, other) => one.first - other.first);
    this.#undone = this.#rooms.undone;
    this.#free = [];
    this.#next = Math.max(-1, ...rows.map(({ slot }) => slot)) + 1;
    this.#rows = sorted.map(({ slot, first, text }, index) => {
      const next = sorted[index + 1];
      return { slot, last: next === undefined ? first + (JSON.parse(text) as unknown[]).length - 2 : next.first - 1 };
    });
    return sorted.map(({ text }) => text);
  }
}

/** Deletes all rows of a topic. */
export function deleteRows(database: Database, topic: number): void {
  database.run(`DELETE FROM log WHERE id >= ${firstId} AND id <= (${lastId})`, topic, topic);
}

function deleteSlots(database: Database, topic: number, slots: readonly number[]): void {
  if (slots.length > 0)
    database.run(`DELETE FROM log WHERE id IN (SELECT ? << ${slotBits} | value FROM json_each(?))`, topic, JSON.stringify(slots));
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
