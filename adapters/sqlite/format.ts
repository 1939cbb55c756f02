/** The tables of a file, and their version. A file says what it is in its header: whose it is, and in which format. */
import type { Connection } from "./driver.ts";

/** The format that this version writes. Each earlier one has a step in `migrations` that leads to the next. */
export const format = 2;

/** "EdgW": marks a file as Edgewire's. */
const applicationId = 0x45_64_67_57;

/** The upper bits of a row's id in `log` are its topic's, and these lower ones its number in the topic: so no index is needed to find it. */
export const slotBits = 36;

/**
 * - `room`: the rooms that keep something, and when the next thing in each is due.
 * - `value`: values by key, those of `room.storage` and Edgewire's own.
 * - `topic`, `log`: a topic's messages, several in one row; `last` is the offset of the row's last message.
 *
 * All have a rowid: without one, rows of 1 KiB would spill into overflow pages. Names are BLOBs, which Deno does not cut at a NUL.
 */
const tables = `
  CREATE TABLE handler(id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE);
  CREATE TABLE room(id INTEGER PRIMARY KEY, handler INTEGER NOT NULL, name BLOB NOT NULL, due INTEGER, UNIQUE(handler, name));
  CREATE INDEX room_due ON room(handler, due) WHERE due IS NOT NULL;
  CREATE TABLE value(id INTEGER PRIMARY KEY, room INTEGER NOT NULL, key BLOB NOT NULL, value TEXT NOT NULL, UNIQUE(room, key));
  CREATE TABLE topic(id INTEGER PRIMARY KEY, room INTEGER NOT NULL, name BLOB NOT NULL, UNIQUE(room, name));
  CREATE TABLE log(id INTEGER PRIMARY KEY, topic INTEGER NOT NULL, last INTEGER NOT NULL, entries TEXT NOT NULL, UNIQUE(topic, last));
`;

/** Rows of a log are found by their id. Any numbers will do that differ in the topic. */
const logById = `
  CREATE TABLE row(id INTEGER PRIMARY KEY, entries TEXT NOT NULL);
  INSERT INTO row SELECT topic << ${slotBits} | last, entries FROM log ORDER BY topic, last;
  DROP TABLE log;
  ALTER TABLE row RENAME TO log;
`;

/** By the format that they lead to. */
const migrations: Readonly<Record<number, string>> = { 1: tables, 2: logById };

/** Brings a file into this version's format, in one transaction. @throws Error for another application's file, or one of a newer version. */
export function migrate(connection: Connection): void {
  const found = numberOf(connection, "user_version");
  const owner = numberOf(connection, "application_id");
  const isNew = found === 0 && owner === 0 && connection.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
  if (!isNew && owner !== applicationId) throw new Error("it is another application's database: give Edgewire a file of its own [EW918]");
  if (found > format)
    throw new Error(
      `it has format ${found}, and this version of Edgewire reads formats up to ${format}: it was written by a newer one [EW919]`,
    );
  if (found === format) return;
  connection.exec("BEGIN IMMEDIATE");
  try {
    for (let next = found + 1; next <= format; next++) connection.exec(migrations[next] ?? "");
    connection.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${format}; COMMIT`);
  } catch (error) {
    connection.exec("ROLLBACK");
    throw error;
  }
}

function numberOf(connection: Connection, pragma: string): number {
  return Number(connection.prepare(`PRAGMA ${pragma}`).get()?.[pragma] ?? 0);
}
