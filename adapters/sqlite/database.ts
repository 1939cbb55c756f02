/**
 * One file, and its turns. What all rooms write in one turn of the event loop is one transaction: the first write begins it, and it is committed at the
 * end of the turn, or before if `commit` is called. Nothing that was written then leaves a socket earlier: see gate.ts.
 */
import { bytesOf } from "./driver.ts";
import type { Connection, Row, Statement, Value } from "./driver.ts";
import { failureOf, fault, messageOf, openFile } from "./file.ts";
import type { OpenFile } from "./file.ts";
import { Turn, attempt } from "./turn.ts";
import type { LastWrite, Writer } from "./turn.ts";

declare function setImmediate(callback: () => void): unknown;

/** What fails, if a writer does. */
const ends = "the end of a turn can't be told [EW916]";

export class Database {
  readonly path: string;
  readonly durability: string;
  /** By name. */
  readonly #writers = new Map<string, Writer>();
  readonly #file: OpenFile;
  readonly #connection: Connection;
  readonly #statements = new Map<string, Statement>();
  #turn: Turn | undefined;
  #holders = 0;
  #closed = false;

  /** @throws what `openFile` throws. */
  constructor(path: string, durability: "process" | "power") {
    this.path = path;
    this.durability = durability;
    this.#file = openFile(path, durability === "power" ? "FULL" : "NORMAL");
    this.#connection = this.#file.connection;
  }

  /** The number of a handler's row. */
  handler(name: string): number {
    // Not within a turn of another handler, which may be undone.
    this.commit();
    if (this.#turn !== undefined) throw this.#turn.fault;
    const row = this.get("SELECT id FROM handler WHERE name = ?", bytesOf(name));
    return row === undefined ? this.run("INSERT INTO handler(name) VALUES(?)", bytesOf(name)).id : Number(row["id"]);
  }

  /** Keeps the file open. @returns a function that releases it, and returns whether that has closed the file. */
  hold(): () => boolean {
    this.#holders++;
    let holds = true;
    return () => {
      if (!holds) return false;
      holds = false;
      if (--this.#holders > 0) return false;
      this.#endTurn();
      this.#close();
      return true;
    };
  }

  /** @returns leaves again, like `hold`. @throws Error if the name is taken. */
  enter(name: string, writer: Writer): () => boolean {
    if (this.#writers.has(name)) {
      throw fault(
        this.path,
        `two handlers keep rooms under the name ${JSON.stringify(name)}: give each a name, by its option "binding" or sqlite(path, { name }) [EW915]`,
      );
    }
    this.#writers.set(name, writer);
    const release = this.hold();
    return () => {
      this.#endTurn();
      this.#writers.delete(name);
      return release();
    };
  }

  /** Settles when the turn is committed, and rejects if it is undone; undefined if nothing was written. */
  get pending(): Promise<void> | undefined {
    const turn = this.#turn;
    if (turn === undefined) return undefined;
    if (turn.done === undefined) {
      turn.done = Promise.withResolvers();
      // Whoever does not wait any more need not handle it.
      turn.done.promise.catch(() => {});
    }
    return turn.done.promise;
  }

  /** To be called before each write. @throws Error if the turn can't be stored. */
  begin(writer: Writer, room: string): void {
    const turn = this.#turn ?? this.#beginTurn();
    if (turn.fault !== undefined) throw turn.fault;
    let rooms = turn.rooms.get(writer);
    if (rooms === undefined) turn.rooms.set(writer, (rooms = new Set()));
    rooms.add(room);
  }

  /** For another write in a turn that has begun. @throws Error if the turn can't be stored. */
  check(): void {
    if (this.#turn?.fault !== undefined) throw this.#turn.fault;
  }

  /** `begin` was called in this turn. */
  atLast(write: LastWrite): void {
    this.#turn?.last.add(write);
  }

  /** @throws what was wrong with the file; then the turn is undone at its end. */
  run(sql: string, ...values: Value[]): { readonly changes: number; readonly id: number } {
    const { changes, lastInsertRowid } = this.#try(() => {
      if (this.#turn?.begun === false) {
        this.#turn.begun = true;
        this.#prepare("BEGIN").run();
      }
      return this.#prepare(sql).run(...values);
    });
    return { changes: Number(changes), id: Number(lastInsertRowid) };
  }

  get(sql: string, ...values: Value[]): Row | undefined {
    return this.#try(() => this.#prepare(sql).get(...values));
  }

  all(sql: string, ...values: Value[]): Row[] {
    return this.#try(() => this.#prepare(sql).all(...values));
  }

  /** Writes what waits for the turn's end, so that it can be read. */
  flush(): void {
    const { last } = this.#turn ?? {};
    if (last === undefined || last.size === 0) return;
    for (const one of last) one.write();
    last.clear();
  }

  /** All of `write` or nothing. `begin` was called. */
  atomically(write: () => void): void {
    this.flush();
    this.run("SAVEPOINT part");
    try {
      write();
      this.flush();
    } catch (error) {
      const turn = this.#turn;
      for (const one of turn?.last ?? []) one.drop();
      turn?.last.clear();
      if (turn?.fault === undefined) {
        this.run("ROLLBACK TO part");
        this.run("RELEASE part");
      }
      throw error;
    }
    this.run("RELEASE part");
  }

  /** Commits before the turn ends. If that fails, the rest of the turn is undone with it. */
  commit(): void {
    const turn = this.#turn;
    if (turn !== undefined && turn.fault === undefined && this.#commit(turn)) this.#committed(turn);
  }

  /** @throws Error if it fails. It blocks for as long as the copy takes. */
  backup(path: string): void {
    this.commit();
    if (this.#turn !== undefined) throw this.#turn.fault;
    try {
      this.#connection.prepare("VACUUM INTO ?").run(path);
    } catch (error) {
      throw fault(this.path, `backup to ${JSON.stringify(path)} failed: ${messageOf(error)} [EW913]`, error);
    }
  }

  #close(): void {
    this.#closed = true;
    this.#statements.clear();
    this.#file.close();
  }

  #beginTurn(): Turn {
    const turn = new Turn();
    this.#turn = turn;
    setImmediate(this.#endTurn);
    for (const writer of this.#writers.values()) writer.turnBegan();
    return turn;
  }

  readonly #endTurn = (): void => {
    const turn = this.#turn;
    if (turn === undefined) return;
    if (turn.fault === undefined && this.#commit(turn)) return this.#committed(turn);
    this.#turn = undefined;
    const { fault: error } = turn;
    turn.done?.reject(error);
    for (const writer of this.#writers.values()) attempt(ends, () => writer.turnUndone(error, turn.rooms.get(writer) ?? new Set()));
  };

  /** Whether it has succeeded. */
  #commit(turn: Turn): boolean {
    try {
      const [one, ...others] = turn.last;
      // No other statement follows: it needs no transaction around it.
      if (!turn.begun && others.length === 0 && one?.isOne !== false) {
        turn.begun = true;
        this.flush();
        return true;
      }
      this.flush();
      this.run("COMMIT");
      return true;
    } catch (error) {
      turn.fault ??= error as Error;
      return false;
    }
  }

  #committed(turn: Turn): void {
    this.#turn = undefined;
    turn.done?.resolve();
    for (const writer of this.#writers.values()) attempt(ends, () => writer.turnCommitted());
  }

  #try<T>(part: () => T): T {
    try {
      return part();
    } catch (error) {
      const reason = this.#closed ? "the server that used it has closed [EW914]" : failureOf(messageOf(error));
      const failure = fault(this.path, reason, error);
      if (this.#turn !== undefined && this.#turn.fault === undefined) {
        this.#turn.fault = failure;
        this.#rollback();
      }
      throw failure;
    }
  }

  /** SQLite has done it itself for some errors, such as a full disk. */
  #rollback(): void {
    try {
      this.#connection.exec("ROLLBACK");
    } catch {
      // Nothing was begun any more.
    }
  }

  #prepare(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#connection.prepare(sql)));
    return statement;
  }
}
