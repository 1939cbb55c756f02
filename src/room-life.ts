/** The hooks of rooms: `open` before the first connection's, `empty` after the last one's, and `alarm`. One at a time in each room. */
import { isPromise } from "./errors.ts";
import { observed } from "./observe.ts";
import type { Server } from "./server.ts";
import type { HookName, LocalRoom, MaybePromise } from "./types.ts";

type RoomHook = "room.open" | "room.empty" | "alarm";

interface Life {
  /** Connections whose close hook has not run yet. */
  connections: number;
  /** What `open` came to: connections wait for it. */
  opened: MaybePromise<boolean>;
  /** The hook that is running, and those that wait; undefined while none is. */
  tail: PromiseLike<void> | undefined;
}

export class RoomLives<State, Env> {
  readonly #server: Server<State, Env>;
  readonly #lives = new Map<string, Life>();

  constructor(server: Server<State, Env>) {
    this.#server = server;
  }

  /** A connection opens; the first one opens the room. */
  entered(room: string): void {
    const life = this.#life(room);
    if (life.connections++ === 0) life.opened = this.#run(room, life, "room.open");
  }

  /** A connection has woken with the object: the room was open. */
  woken(room: string): void {
    this.#life(room).connections++;
  }

  /** What a connection's `open` has to wait for: whether the room could be opened. Undefined when it is open. */
  opening(room: string): PromiseLike<boolean> | undefined {
    const opened = this.#lives.get(room)?.opened ?? true;
    if (opened === true) return undefined;
    return Promise.resolve(opened);
  }

  /** A connection's close hook has run. */
  left(room: string): MaybePromise<void> {
    const life = this.#life(room);
    if (--life.connections > 0) return;
    const { opened } = life;
    const empty = (): MaybePromise<unknown> => this.#run(room, life, "room.empty");
    const emptied = isPromise(opened) ? opened.then((done) => (done ? empty() : undefined)) : opened ? empty() : undefined;
    const forget = (): void => {
      if (life.connections === 0 && life.tail === undefined) this.#lives.delete(room);
    };
    return isPromise(emptied) ? emptied.then(forget) : forget();
  }

  alarm(room: string): MaybePromise<unknown> {
    return this.#run(room, this.#lives.get(room) ?? { connections: 0, opened: true, tail: undefined }, "alarm");
  }

  #life(room: string): Life {
    let life = this.#lives.get(room);
    if (life === undefined) this.#lives.set(room, (life = { connections: 0, opened: true, tail: undefined }));
    return life;
  }

  /** Runs a hook, after those before it. Whether it succeeded: it never throws or rejects. */
  #run(room: string, life: Life, hook: RoomHook): MaybePromise<boolean> {
    const start = (): MaybePromise<boolean> => this.#call(hook, this.#server.local(room));
    const running = life.tail === undefined ? start() : life.tail.then(start);
    if (!isPromise(running)) return running;
    const settled = (): void => {
      if (life.tail === tail) life.tail = undefined;
    };
    const tail = running.then(settled);
    life.tail = tail;
    return running;
  }

  #call(hook: RoomHook, room: LocalRoom<State, Env>): MaybePromise<boolean> {
    const { hooks, settings } = this.#server;
    const failed = (error: unknown): MaybePromise<boolean> => {
      const told = this.#server.failed(error, { hook: hook satisfies HookName, room }, this.#server.counters(room.name));
      return isPromise(told) ? told.then(() => false) : false;
    };
    try {
      const one = hook === "alarm" ? hooks.alarm : hook === "room.open" ? hooks.room?.open : hooks.room?.empty;
      if (one === undefined) return true;
      const pending = observed(settings.observe, () => Reflect.apply(one, hook === "alarm" ? hooks : hooks.room, [room]), { hook, room });
      return isPromise(pending) ? pending.then(() => true, failed) : true;
    } catch (error) {
      return failed(error);
    }
  }
}
