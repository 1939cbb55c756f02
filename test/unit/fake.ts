/** A socket, a clock and a server for the core alone. */
import { RoomRegistry } from "../../src/rooms/registry.ts";
import { defineHandler } from "../../src/handler/define.ts";
import { Server } from "../../src/server/server.ts";
import type { Connection } from "../../src/connection/connection.ts";
import type { Handler } from "../../src/api/handler.ts";
import type { Sendable, SendResult } from "../../src/api/connection.ts";
import type { Alarm, Clock, StoredSnapshot, Snapshot, Socket } from "../../src/ports.ts";

export class FakeSocket implements Socket {
  readonly sent: Sendable[] = [];
  readonly calls: string[] = [];
  buffered: number | undefined = 0;
  saved: StoredSnapshot | undefined;
  pause?: () => void;
  resume?: () => void;

  constructor({ pausable = false } = {}) {
    if (!pausable) return;
    this.pause = () => this.calls.push("pause");
    this.resume = () => this.calls.push("resume");
  }

  send(data: Sendable): SendResult {
    this.sent.push(data);
    return "sent";
  }

  close(code: number, reason: string): void {
    this.calls.push(`close ${code} ${reason}`.trim());
  }

  terminate(): void {
    this.calls.push("terminate");
  }

  save(saved: StoredSnapshot): void {
    this.saved = saved;
  }
}

export class FakeClock implements Clock {
  #now = 0;
  #elapsed = 0;
  #next = 1;
  readonly #timers = new Map<number, { at: number; callback: () => void }>();

  get pending(): number {
    return this.#timers.size;
  }

  setTimeout(callback: () => void, milliseconds: number): number {
    this.#timers.set(this.#next, { at: this.#elapsed + milliseconds, callback });
    return this.#next++;
  }

  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as number);
  }

  now(): number {
    return this.#now;
  }

  elapsed(): number {
    return this.#elapsed;
  }

  /** The time of day is set, by somebody. */
  jump(milliseconds: number): void {
    this.#now += milliseconds;
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
    this.#elapsed += milliseconds;
    for (const [timer, { at, callback }] of this.#timers) {
      if (at > this.#elapsed) continue;
      this.#timers.delete(timer);
      callback();
    }
  }
}

/** One that notes when it is set. Whoever is told that its time has come says so by `Server.alarm`. */
export class FakeAlarm implements Alarm {
  readonly writes: (number | "clear")[] = [];

  set(time: number): void {
    this.writes.push(time);
  }

  clear(): void {
    this.writes.push("clear");
  }

  async keep(running: PromiseLike<unknown>): Promise<void> {
    await running;
  }
}

export interface Setup<State> {
  readonly server: Server<State>;
  readonly socket: FakeSocket;
  readonly clock: FakeClock;
  readonly live: Connection<State>;
}

export function snapshot(over: Partial<Snapshot> = {}): Snapshot {
  return {
    id: crypto.randomUUID(),
    room: "default",
    url: "http://localhost/",
    protocol: "",
    remoteAddress: "",
    version: 0,
    state: undefined,
    topics: [],
    phase: "open",
    ...over,
  };
}

/** One open connection of a handler. */
export function open<State>(handler: Handler<State>, over: { socket?: FakeSocket; start?: Partial<Snapshot> } = {}): Setup<State> {
  const clock = new FakeClock();
  const server = new Server<State>(defineHandler<State>(handler), { name: "fake", registry: RoomRegistry, clock });
  const socket = over.socket ?? new FakeSocket();
  return { server, socket, clock, live: server.begin(socket, { snapshot: snapshot(over.start) }) };
}

/** Lets promises settle. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
