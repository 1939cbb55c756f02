/** A file of `edgewire/sqlite`, as a kill has left it. */
import { DatabaseSync } from "node:sqlite";

/** Rows that belong to nothing, by table. */
const orphans: Readonly<Record<string, string>> = {
  room: "SELECT count(*) AS count FROM room WHERE handler NOT IN (SELECT id FROM handler)",
  value: "SELECT count(*) AS count FROM value WHERE room NOT IN (SELECT id FROM room)",
  topic: "SELECT count(*) AS count FROM topic WHERE room NOT IN (SELECT id FROM room)",
  log: "SELECT count(*) AS count FROM log WHERE id >> 36 NOT IN (SELECT id FROM topic)",
  "topic without an epoch":
    "SELECT count(*) AS count FROM topic WHERE NOT EXISTS (SELECT 1 FROM value WHERE value.room = topic.room AND key = CAST(topic.name || 'epoch' AS BLOB))",
  "room that keeps nothing":
    "SELECT count(*) AS count FROM room WHERE due IS NULL AND id NOT IN (SELECT room FROM value) AND id NOT IN (SELECT room FROM topic)",
};

/** What is wrong with the file, in words. */
export function problemsOf(path: string): readonly string[] {
  const database = new DatabaseSync(path);
  try {
    const damaged = database
      .prepare("PRAGMA quick_check")
      .all()
      .map((row) => String(row["quick_check"]))
      .filter((text) => text !== "ok");
    const left = Object.entries(orphans).flatMap(([what, sql]) => {
      const count = Number(database.prepare(sql).get()?.["count"]);
      return count === 0 ? [] : [`${count} rows: ${what}`];
    });
    return [...damaged, ...left];
  } finally {
    database.close();
  }
}
