/**
 * A room for as long as somebody is in it, and its hooks: `open` before the first connection's, `empty` after the last one's, and
 * `alarm`. One at a time in each room. Without hooks it is a count of connections, and what makes `connection.room` one object.
 */
import type { Counters } from "../handler/counters.ts";
import type { RoomHost } from "./host.ts";
import { isPromise } from "../values/promise.ts";
import { SmallMap } from "../values/small-map.ts";
import { observed } from "../handler/observe.ts";
import type { HookName } from "../api/handler.ts";
import type { MaybePromise } from "../api/connection.ts";
import type { AlarmInfo, LocalRoom, PresenceDiff } from "../api/room.ts";

type RoomHook = Extract<HookName, "room.open" | "room.empty" | "alarm">;
/** What a hook is told beside the room. */
type Arguments = readonly [AlarmInfo?];

interface Life<State, Env> {
  readonly name: string;
  /** Made when it is first asked for. */
  room: LocalRoom<State, Env> | undefined;
  /** Connections whose close hook has not run yet. */
  connections: number;
  /** What `open` came to: connections wait for it. */
  opened: MaybePromise<boolean>;
  /** The hook that is running, and those that wait; undefined while none is. */
  tail: PromiseLike<void> | undefined;
}

/** What is needed of the rooms. */
export interface LifecycleRooms<State, Env> {
  readonly host: RoomHost<State, Env>;
  counters(room: string): Counters;
  makeRoom(name: string): LocalRoom<State, Env>;
}

export class RoomLifecycle<State, Env> {
  readonly #rooms: LifecycleRooms<State, Env>;
  readonly #connections = new SmallMap<Life<State, Env>>();

  constructor(rooms: LifecycleRooms<State, Env>) {
    this.#rooms = rooms;
  }

  /** The room as its hooks hold it: the same object for as long as anybody is in it. */
  room(name: string): LocalRoom<State, Env> {
    const life = this.#connections.get(name);
    return life === undefined ? this.#rooms.makeRoom(name) : this.#roomOf(life);
  }

  /** A connection opens. The first one opens the room, and so does the first one after that has failed. */
  entered(name: string): void {
    const life = this.#life(name);
    if (life.connections++ > 0 && life.opened !== false) return;
    const opened = this.#run(life, "room.open");
    life.opened = opened;
    if (!isPromise(opened)) return;
    void opened.then((done) => {
      if (life.opened === opened) life.opened = done;
    });
  }

  /** A connection has woken with the object: the room was open. */
  restored(name: string): void {
    this.#life(name).connections++;
  }

  /** What a connection's `open` has to wait for: whether the room could be opened. Undefined when it is open. */
  opening(name: string): PromiseLike<boolean> | undefined {
    const opened = this.#connections.get(name)?.opened ?? true;
    return opened === true ? undefined : Promise.resolve(opened);
  }

  /** A connection's close hook has run. */
  left(name: string): MaybePromise<void> {
    const life = this.#life(name);
    if (--life.connections > 0) return;
    const { opened } = life;
    // Asked once those before it are done: by then it is known whether the room was ever open.
    const emptied = opened === false ? undefined : this.#run(life, "room.empty", () => (isPromise(opened) ? opened.then(toArguments) : []));
    const forgotten = this.#afterwards(name, life, emptied);
    return isPromise(forgotten) ? forgotten.then(() => {}) : undefined;
  }

  /** `begin` is called when it is its turn, and says what the hook is told; undefined: it is not to run any more. Whether it succeeded. */
  alarm(name: string, begin: () => MaybePromise<AlarmInfo | undefined>): MaybePromise<boolean> {
    const life = this.#life(name);
    const prepared = (info: AlarmInfo | undefined): Arguments | undefined => (info === undefined ? undefined : [info]);
    const ran = this.#run(life, "alarm", () => {
      const info = begin();
      return isPromise(info) ? info.then(prepared) : prepared(info);
    });
    return this.#afterwards(name, life, ran);
  }

  /** Within the call that made the difference; it waits for nobody. */
  presence(name: string, diff: PresenceDiff): void {
    const { hooks, settings } = this.#rooms.host;
    if (hooks.presence === undefined) return;
    const room = this.room(name);
    const failed = (error: unknown): MaybePromise<void> =>
      this.#rooms.host.failed(error, { hook: "presence", room }, this.#rooms.counters(name));
    try {
      const pending: unknown = observed(settings.observe, () => hooks.presence?.(room, diff), { hook: "presence", room });
      // Nobody waits for it, but an asynchronous one may fail too.
      if (isPromise(pending)) void pending.then(undefined, failed);
    } catch (error) {
      void failed(error);
    }
  }

  /** Hooks that have not settled yet. */
  get running(): PromiseLike<void>[] {
    return Array.from(this.#connections.values(), ({ tail }) => tail).filter((tail) => tail !== undefined);
  }

  #roomOf(life: Life<State, Env>): LocalRoom<State, Env> {
    return (life.room ??= this.#rooms.makeRoom(life.name));
  }

  #life(name: string): Life<State, Env> {
    let life = this.#connections.get(name);
    if (life === undefined) {
      life = { name, room: undefined, connections: 0, opened: true, tail: undefined };
      this.#connections.set(name, life);
    }
    return life;
  }

  /** Forgets a room that nobody is in and nothing runs in. */
  #afterwards<T>(name: string, life: Life<State, Env>, running: MaybePromise<T>): MaybePromise<T> {
    const forget = (outcome: T): T => {
      if (life.connections === 0 && life.tail === undefined && this.#connections.get(name) === life) this.#connections.delete(name);
      return outcome;
    };
    return isPromise(running) ? running.then(forget) : forget(running);
  }

  /**
   * Runs a hook after those before it. `prepare`, called then, gives what it is told beside the room; undefined: it is not to run.
   * Whether it succeeded: it never throws or rejects.
   */
  #run(life: Life<State, Env>, hook: RoomHook, prepare: () => MaybePromise<Arguments | undefined> = () => []): MaybePromise<boolean> {
    // Most handlers have none.
    if (life.tail === undefined && this.#hookOf(hook) === undefined) return true;
    const call = (args: Arguments | undefined): MaybePromise<boolean> => args !== undefined && this.#call(hook, this.#roomOf(life), args);
    const start = (): MaybePromise<boolean> => {
      const args = prepare();
      return isPromise(args) ? args.then(call) : call(args);
    };
    const running = life.tail === undefined ? start() : life.tail.then(start);
    if (!isPromise(running)) return running;
    const over = (): void => {
      if (life.tail === tail) life.tail = undefined;
    };
    const tail: PromiseLike<void> = running.then(over, over);
    life.tail = tail;
    return running;
  }

  #hookOf(hook: RoomHook): ((room: LocalRoom<State, Env>, info: AlarmInfo) => MaybePromise<void>) | undefined {
    const { hooks } = this.#rooms.host;
    return hook === "alarm" ? hooks.alarm : hook === "room.open" ? hooks.room?.open : hooks.room?.empty;
  }

  #call(hook: RoomHook, room: LocalRoom<State, Env>, args: Arguments): MaybePromise<boolean> {
    const { hooks, settings } = this.#rooms.host;
    const failed = (error: unknown): MaybePromise<boolean> => {
      const told = this.#rooms.host.failed(error, { hook, room }, this.#rooms.counters(room.name));
      return isPromise(told) ? told.then(() => false) : false;
    };
    try {
      const one = this.#hookOf(hook);
      if (one === undefined) return true;
      const pending = observed(settings.observe, () => Reflect.apply(one, hook === "alarm" ? hooks : hooks.room, [room, ...args]), {
        hook,
        room,
      });
      return isPromise(pending) ? pending.then(() => true, failed) : true;
    } catch (error) {
      return failed(error);
    }
  }
}

/** A hook that depends on another's success is told nothing else. */
function toArguments(succeeded: boolean): Arguments | undefined {
  return succeeded ? [] : undefined;
}
