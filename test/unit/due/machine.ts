/** A disk that outlives processes, and processes that end in the middle of anything. */
import { RoomRegistry } from "../../../src/rooms/registry.ts";
import { defineHandler } from "../../../src/handler/define.ts";
import { Server } from "../../../src/server/server.ts";
import { MemoryStore } from "../../../src/rooms/memory-store.ts";
import { Heap } from "../../../src/time/heap.ts";
import type { Handler } from "../../../src/api/handler.ts";
import type { Alarm, Appointments, Store, StoreRange } from "../../../src/ports.ts";
import type { FakeClock } from "../fake.ts";

/** What a disk can be asked: a method of `Store` or `Appointments`. */
export type Operation = "get" | "set" | "delete" | "list" | "clear" | "atomically" | "sync" | "first" | "due" | "appoint" | "of";

/** Appointments in memory, for tests. */
export class MemoryAppointments implements Appointments {
  readonly #rooms = new Map<string, { readonly room: string; readonly time: number; index: number }>();
  readonly #queue = new Heap<{ readonly room: string; readonly time: number; index: number }>();

  get times(): Map<string, number> {
    return new Map(Array.from(this.#rooms, ([room, { time }]) => [room, time]));
  }

  first(): number | undefined {
    return this.#queue.first?.time;
  }

  due(now: number, limit: number): readonly string[] {
    const found = [];
    for (let { first } = this.#queue; first !== undefined && first.time <= now && found.length < limit; { first } = this.#queue) {
      this.#queue.delete(first);
      found.push(first);
    }
    for (const one of found) this.#queue.add(one);
    return found.map(({ room }) => room);
  }

  set(room: string, time: number | undefined): void {
    const known = this.#rooms.get(room);
    if (known !== undefined) this.#queue.delete(known);
    this.#rooms.delete(room);
    if (time === undefined) return;
    const one = { room, time, index: -1 };
    this.#rooms.set(room, one);
    this.#queue.add(one);
  }

  of(room: string): number | undefined {
    return this.#rooms.get(room)?.time;
  }
}

/** What stays when a process ends. */
export class Disk {
  readonly stores = new Map<string, MemoryStore>();
  readonly appointments = new MemoryAppointments();
  /** How often each operation was asked for. */
  readonly counts = new Map<Operation, number>();

  storeOf(room: string): MemoryStore {
    let store = this.stores.get(room);
    if (store === undefined) this.stores.set(room, (store = new MemoryStore()));
    return store;
  }

  /** Every key of every room. */
  get keys(): readonly string[] {
    return [...this.stores].flatMap(([room, store]) => Array.from(store.list({ prefix: "" }), ([key]) => `${room} ${key}`));
  }
}

export interface LifeOptions {
  readonly handler?: Handler;
  /** The runtime keeps appointments. Default: true. */
  readonly persistent?: boolean;
  /** Default: true. */
  readonly stored?: boolean;
  readonly alarm?: Alarm;
  /** Runs the handler's calls, by name. Default: none. */
  readonly calls?: Readonly<Record<string, (room: string, ...args: unknown[]) => unknown>>;
}

/** One process. */
export class Life {
  readonly disk: Disk;
  readonly clock: FakeClock;
  readonly server: Server;
  readonly errors: unknown[] = [];
  /** It has ended: nothing of it reaches the disk or the application any more. */
  dead = false;
  /** Operations until it ends. */
  left = Number.POSITIVE_INFINITY;
  /** What `sync` waits for. */
  synced: Promise<void> | undefined;
  /** Operations that fail. */
  readonly broken = new Set<Operation>();

  constructor(disk: Disk, clock: FakeClock, { handler = {}, persistent = true, stored = true, alarm, calls }: LifeOptions) {
    this.disk = disk;
    this.clock = clock;
    this.server = new Server(
      defineHandler({
        ...handler,
        error: (error, context) => {
          if (this.dead) return;
          this.errors.push(error);
          return handler.error?.(error, context);
        },
      }),
      {
        name: "fake",
        registry: RoomRegistry,
        clock,
        ...(stored ? { store: (room) => new LifeStore(this, disk.storeOf(room)) } : {}),
        ...(persistent ? { appointments: this.#appointments } : {}),
        ...(alarm === undefined ? {} : { alarm }),
      },
    );
    if (calls !== undefined) {
      this.server.registry!.callRunner = {
        names: Object.keys(calls),
        run: async (room, call, args) => {
          if (this.dead) return new Promise(() => {});
          const one = calls[call];
          if (one === undefined) throw new Error(`no call ${call}`);
          const result: unknown = await one(room, ...args);
          return this.dead ? new Promise(() => {}) : result;
        },
      };
    }
    if (!persistent) for (const room of disk.stores.keys()) this.server.resume(room);
  }

  end(): void {
    this.dead = true;
    this.server.schedule.stop();
  }

  /** @throws Error if the process has ended, or the operation is to fail. */
  touch(operation: Operation): void {
    if (this.dead || --this.left < 0) {
      this.end();
      throw new Error("the process has ended");
    }
    this.disk.counts.set(operation, (this.disk.counts.get(operation) ?? 0) + 1);
    if (this.broken.has(operation)) throw new Error(`${operation} is broken`);
  }

  get #appointments(): Appointments {
    const { appointments } = this.disk;
    const asked = <T>(operation: Operation, answer: () => T): T => {
      this.touch(operation);
      return answer();
    };
    return {
      first: () => asked("first", () => appointments.first()),
      due: (now, limit) => asked("due", () => appointments.due(now, limit)),
      set: (room, time) => asked("appoint", () => appointments.set(room, time)),
      of: (room) => asked("of", () => appointments.of(room)),
    };
  }
}

class LifeStore implements Store {
  readonly #life: Life;
  readonly #store: MemoryStore;

  constructor(life: Life, store: MemoryStore) {
    this.#life = life;
    this.#store = store;
  }

  get(key: string): string | undefined {
    this.#life.touch("get");
    return this.#store.get(key);
  }

  set(key: string, value: string): void {
    this.#life.touch("set");
    this.#store.set(key, value);
  }

  delete(key: string): boolean {
    this.#life.touch("delete");
    return this.#store.delete(key);
  }

  list(range: StoreRange): Iterable<readonly [string, string]> {
    this.#life.touch("list");
    return this.#store.list(range);
  }

  clear(prefix: string): void {
    this.#life.touch("clear");
    this.#store.clear(prefix);
  }

  atomically(write: () => void): void {
    this.#life.touch("atomically");
    this.#store.atomically(write);
  }

  async sync(): Promise<void> {
    this.#life.touch("sync");
    await this.#life.synced;
  }
}

/** Lets everything settle that waits for no timer. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
