/** Opens the file: one process at a time, with an error for each way in which it can fail. */
import { builtin, connect, processId } from "./driver.ts";
import type { Connection } from "./driver.ts";
import { migrate } from "./format.ts";

/** The part of `node:fs` that is used. */
interface Files {
  existsSync(path: string): boolean;
  statSync(path: string): { isDirectory(): boolean };
  readFileSync(path: string, encoding: "utf8"): string;
  writeFileSync(path: string, text: string): void;
  rmSync(path: string, options: { readonly force: boolean }): void;
}

/** Milliseconds that a process waits for the one before it to end. */
const patience = 5000;

/** Paths that are open in this process. */
const open = new Set<string>();

/** An open file. */
export interface OpenFile {
  readonly connection: Connection;
  close(): void;
}

/**
 * Waits up to five seconds for a process that still has it. The order of the pragmas matters: in exclusive mode SQLite takes its lock once, needs no
 * shared memory, and the system frees the lock of a process that was killed.
 * @throws Error with the path, what is wrong and what to do.
 */
export function openFile(path: string, synchronous: "NORMAL" | "FULL"): OpenFile {
  const files = builtin<Files>("node:fs");
  const absolute = builtin<{ resolve(path: string): string }>("node:path").resolve(path);
  if (open.has(absolute))
    throw fault(path, "this process has it open already: pass what sqlite() returned the first time to both servers [EW901]");
  const pidFile = `${absolute}-pid`;
  let connection: Connection | undefined;
  try {
    connection = connect(absolute);
    connection.exec(`PRAGMA busy_timeout = ${patience}; PRAGMA locking_mode = EXCLUSIVE`);
    connection.exec("PRAGMA journal_mode = WAL");
    connection.exec(`PRAGMA synchronous = ${synchronous}; BEGIN IMMEDIATE; COMMIT`);
    migrate(connection);
    files.writeFileSync(pidFile, String(processId));
  } catch (error) {
    close(connection);
    throw fault(path, reasonOf(error, absolute, files), error);
  }
  const opened = connection;
  open.add(absolute);
  return {
    connection: opened,
    close() {
      files.rmSync(pidFile, { force: true });
      open.delete(absolute);
      close(opened);
    },
  };
}

function close(connection: Connection | undefined): void {
  try {
    connection?.close();
  } catch {
    // It was not open.
  }
}

export function fault(path: string, why: string, cause?: unknown): Error {
  return new Error(`sqlite(${JSON.stringify(path)}): ${why}`, cause === undefined ? {} : { cause });
}

function reasonOf(error: unknown, path: string, files: Files): string {
  const message = messageOf(error);
  if (/database is locked/.test(message)) return lockedBy(`${path}-pid`, files);
  if (/not a database/.test(message)) return "it is not a SQLite database [EW902]";
  if (/is full/.test(message)) return "the disk is full [EW903]";
  if (/unable to open/.test(message)) return unopened(path, files);
  if (/readonly|read-only|disk I\/O error/.test(message))
    return `it can't be written (${message}): check the permissions of the file and its folder [EW904]`;
  return isCoded.test(message) ? message : failureOf(message);
}

/** Edgewire's own error, about the file's format. */
const isCoded = /\[EW\d+\]$/;

/** What fails when the file is opened, read or written. */
export function failureOf(message: string): string {
  return /malformed/.test(message)
    ? "the file is damaged: restore a backup, or rescue what can be read with the sqlite3 command's .recover [EW906]"
    : `SQLite failed: ${message} [EW905]`;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function lockedBy(pidFile: string, files: Files): string {
  let holder = "";
  try {
    holder = files.readFileSync(pidFile, "utf8").trim();
  } catch {
    // It has just ended, or is not Edgewire.
  }
  const who = /^\d+$/.test(holder) ? `process ${holder}` : "another process";
  return `${who} has it open, and only one can: end that one first. For copies use backup(path) [EW907]`;
}

function unopened(path: string, files: Files): string {
  const folder = builtin<{ dirname(path: string): string }>("node:path").dirname(path);
  if (!files.existsSync(folder)) return `there is no folder ${JSON.stringify(folder)}: create it first [EW908]`;
  if (files.existsSync(path) && files.statSync(path).isDirectory()) return "it is a folder: name a file [EW909]";
  return "it can't be opened: check the permissions of the file and its folder [EW910]";
}
