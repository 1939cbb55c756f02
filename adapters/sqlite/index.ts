/**
 * `edgewire/sqlite`: rooms that outlive their process, in a file, on Node, Bun and Deno. It keeps what a Durable Object keeps. The file is opened when
 * a server starts with it, and closed with the last of them.
 */
import type { DurableStorage, OpenStorage } from "../../src/ports.ts";
import { memo } from "../../src/values/memo.ts";
import { show } from "../../src/values/text.ts";
import { Database } from "./database.ts";
import { bytesOf, builtin } from "./driver.ts";
import { fault } from "./file.ts";
import { SocketGate } from "./gate.ts";
import { RoomRows } from "./rooms.ts";
import { RoomStore } from "./store.ts";

/** What `sqlite` takes besides the path. */
export interface SqliteOptions {
  /** The handler's name in the file. Needed if several handlers without `binding` share the file. Default: the handler's `binding`, or "". */
  readonly name?: string;
  /**
   * What a client was shown survives the end of the process (`"process"`), or a loss of power too (`"power"`). The latter waits for the disk at the end
   * of each turn that writes. Default: `"process"`.
   */
  readonly durability?: "process" | "power";
}

/** What `sqlite` returns: the option `storage` of `serve`, `attach` and `memory`. */
export interface SqliteStorage extends DurableStorage {
  /**
   * Writes a copy of the file while servers use it, which blocks the process for as long as that takes. Rejects with an Error if the other file exists
   * or can't be written, or if no server has started with this storage.
   */
  backup(path: string): Promise<void>;
}

/**
 * Keeps rooms in a file: `serve(chat, { storage: sqlite("rooms.db") })`. Beside it are `rooms.db-wal` and, while it is open, `rooms.db-pid`. Only one
 * process can have it open.
 * @throws TypeError for an invalid path or option. `serve`, `attach` and `memory` throw Error if the file can't be opened: it says why.
 */
export function sqlite(path: string | URL, options: SqliteOptions = {}): SqliteStorage {
  const file = pathOf(path);
  const { name, durability } = check(options);
  return {
    open(handler) {
      return openRooms(shared(file, durability), name ?? handler);
    },
    hold() {
      return letGo(shared(file, durability), (database) => database.hold());
    },
    async backup(to) {
      if (typeof to !== "string" || to === "") throw new TypeError(`backup takes the path of a file, not ${show(to)} [EW921]`);
      const database = files.get(absolute(file));
      if (database === undefined) throw fault(file, "no server has started with it yet: back up the file itself [EW911]");
      database.backup(to);
    },
  };
}

/** Files that are open in this process. Servers share them. */
const files = new Map<string, Database>();

function shared(path: string, durability: "process" | "power"): Database {
  const known = files.get(absolute(path));
  if (known === undefined) {
    const database = new Database(path, durability);
    files.set(absolute(path), database);
    return database;
  }
  if (known.durability === durability) return known;
  throw fault(path, `it is open with durability "${known.durability}": open it with the same everywhere [EW912]`);
}

/** Releases a file, which closes with the last. */
function letGo(database: Database, hold: (database: Database) => () => boolean): () => void {
  const release = hold(database);
  return () => {
    if (release()) files.delete(absolute(database.path));
  };
}

/** @throws Error if another handler has the name. */
function openRooms(database: Database, name: string): OpenStorage {
  const gate = new SocketGate(database);
  const close = letGo(database, () => database.enter(name, gate));
  const rooms = new RoomRows(database, numberOf(database, name, close), gate);
  gate.forget = () => rooms.forget();
  const store = memo(mostStores, (room) => new RoomStore(rooms, room));
  return {
    store,
    gate,
    appointments: rooms,
    storedNames: (after, limit) => rooms.names(after, limit),
    close,
  };
}

/** The handler's number in the file. @throws what the file throws: then it is released. */
function numberOf(database: Database, name: string, close: () => void): number {
  try {
    return database.handler(name);
  } catch (error) {
    close();
    throw error;
  }
}

/** Rooms whose store is remembered: it is small, and asked for often. */
const mostStores = 1000;

function pathOf(path: unknown): string {
  if (path instanceof URL && path.protocol === "file:") return builtin<{ fileURLToPath(url: URL): string }>("node:url").fileURLToPath(path);
  if (typeof path !== "string" || path === "" || path.startsWith(":") || path.startsWith("file:") || path.includes("\0"))
    throw new TypeError(
      `sqlite takes the path of a file, not ${show(path)}${path === ":memory:" ? ": without the option storage, rooms are in memory" : ""} [EW922]`,
    );
  return path;
}

function absolute(path: string): string {
  return builtin<{ resolve(path: string): string }>("node:path").resolve(path);
}

function check(options: SqliteOptions): { name: string | undefined; durability: "process" | "power" } {
  if (typeof options !== "object" || options === null)
    throw new TypeError(`sqlite takes { name, durability }, not ${show(options)} [EW923]`);
  for (const key of Object.keys(options))
    if (key !== "name" && key !== "durability")
      throw new TypeError(`sqlite: unknown option "${key}": options are name, durability [EW105]`);
  const { name, durability = "process" } = options;
  if (name !== undefined && (typeof name !== "string" || bytesOf(name).length > 512))
    throw new TypeError(`sqlite: option "name" must be a string of at most 512 bytes, not ${show(name)} [EW924]`);
  if (durability !== "process" && durability !== "power")
    throw new TypeError(`sqlite: option "durability" must be "process" or "power", not ${show(durability)} [EW925]`);
  return { name, durability };
}
