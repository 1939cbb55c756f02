/** A file for a test, in a folder of its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { onTestFinished } from "vitest";

/** Returns the path of a file that does not exist yet; its folder is deleted after the test. */
export function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "edgewire-sqlite-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "rooms.db");
}

/** Rows of a file that no server has open. */
export function rowsOf(path: string, sql: string): Record<string, unknown>[] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

/** How many rows each table has. */
export function counts(path: string): Record<string, number> {
  const tables = ["room", "value", "topic", "log"];
  return Object.fromEntries(tables.map((table) => [table, Number(rowsOf(path, `SELECT count(*) AS n FROM ${table}`)[0]!["n"])]));
}
