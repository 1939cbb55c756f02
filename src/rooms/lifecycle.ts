/**
 * A room while it has connections, and its hooks: `open` before the first connection's, `empty` after the last one's, and
 * `alarm`. They run one at a time in each room. Without hooks, it only counts connections and keeps `connection.room` one object.
 */
import type { Counters } from "../handler/counters.ts";
import type { RoomHost } from "./host.ts";
import type { SharedRooms } from "./shared.ts";
import { isPromise } from "../values/promise.ts";
import { SmallMap } from "../values/small-map.ts";
import { observed } from "../handler/observe.ts";
import type { HookName } from "../api/handler.ts";
import type { MaybePromise } from "../api/connection.ts";
import type { AlarmInfo, LocalRoom, PresenceDiff, RoomInfo } from "../api/room.ts";

type RoomHook = Extract<HookName, "room.open" | "room.empty" | "alarm">;
/** A hook's arguments after the room. */
type Arguments = readonly [(AlarmInfo | RoomInfo)?];

interface ActiveRoom<State, Env> {
  readonly name: string;
  /** Created on first use. */
  room: LocalRoom<State, Env> | undefined;
  /** Connections whose close hook has not run yet. */
  connections: number;
  /** The outcome of `open`, which connections wait for. */
  opened: MaybePromise<boolean>;
  /** The running hook and those that wait; undefined if there is none. */
  tail: PromiseLike<void> | undefined;
}

/** What is needed of the registry. */
export interface LifecycleRooms<State, Env> {
  readonly host: RoomHost<State, Env>;
  /** Undefined if rooms are on this server alone. */
  readonly shared: Pick<SharedRooms<State, Env>, "joining" | "elsewhere"> | undefined;
  counters(room: string): Counters;
  makeRoom(name: string): LocalRoom<State, Env>;
}

export class RoomLifecycle<State, Env> {
  readonly #rooms: LifecycleRooms<State, Env>;
  readonly #active = new SmallMap<ActiveRoom<State, Env>>();

  constructor(rooms: LifecycleRooms<State, Env>) {
    this.#rooms = rooms;
  }

  /** The room that hooks get: the same object while it has connections. */
  room(name: string): LocalRoom<State, Env> {
    const active = this.#active.get(name);
    return active === undefined ? this.#rooms.makeRoom(name) : this.#roomOf(active);
  }

  /** A connection opens. The first one opens the room, and so does the next one after a failure. */
  entered(name: string): void {
    const active = this.#activeRoom(name);
    if (active.connections++ > 0 && active.opened !== false) return;
    const joining = this.#rooms.shared?.joining(name);
    const info = (joined: boolean): Arguments | undefined => (joined ? this.#info(name) : undefined);
    const opened = this.#run(active, "room.open", () => (joining === undefined ? info(true) : joining.then(info)), joining !== undefined);
    active.opened = opened;
    if (!isPromise(opened)) return;
    void opened.then((done) => {
      if (active.opened === opened) active.opened = done;
    });
  }

  /** A connection has woken with the object: the room was already open. */
  restored(name: string): void {
    // It comes from another server: here the room may not have been open.
    if (this.#rooms.shared !== undefined) return this.entered(name);
    this.#activeRoom(name).connections++;
  }

  /** What a connection's `open` has to wait for: whether the room could be opened. Undefined once it is open. */
  opening(name: string): PromiseLike<boolean> | undefined {
    const opened = this.#active.get(name)?.opened ?? true;
    return opened === true ? undefined : Promise.resolve(opened);
  }

  /** A connection's close hook has run. */
  left(name: string): MaybePromise<void> {
    const active = this.#activeRoom(name);
    if (--active.connections > 0) return;
    const { opened } = active;
    // A hook that depends on another's success is skipped if that failed.
    const info = (succeeded: boolean): Arguments | undefined => (succeeded ? this.#info(name) : undefined);
    // Decided once earlier hooks are done: only then is it known whether the room was ever open.
    const emptied =
      opened === false ? undefined : this.#run(active, "room.empty", () => (isPromise(opened) ? opened.then(info) : info(true)));
    const forgotten = this.#afterwards(name, active, emptied);
    return isPromise(forgotten) ? forgotten.then(() => {}) : undefined;
  }

  /** `begin`, called in its turn, returns the hook's argument, or undefined to skip it. Returns whether the hook succeeded. */
  alarm(name: string, begin: () => MaybePromise<AlarmInfo | undefined>): MaybePromise<boolean> {
    const active = this.#activeRoom(name);
    const prepared = (info: AlarmInfo | undefined): Arguments | undefined => (info === undefined ? undefined : [info]);
    const ran = this.#run(active, "alarm", () => {
      const info = begin();
      return isPromise(info) ? info.then(prepared) : prepared(info);
    });
    return this.#afterwards(name, active, ran);
  }

  /** Runs within the call that made the change; nothing waits for its promise. */
  presence(name: string, diff: PresenceDiff): void {
    const { hooks, settings } = this.#rooms.host;
    if (hooks.presence === undefined) return;
    const room = this.room(name);
    const failed = (error: unknown): MaybePromise<void> =>
      this.#rooms.host.failed(error, { hook: "presence", room }, this.#rooms.counters(name));
    try {
      const pending: unknown = observed(settings.observe, () => hooks.presence?.(room, diff), { hook: "presence", room });
      // Nothing waits for it, but an asynchronous hook may fail too.
      if (isPromise(pending)) void pending.then(undefined, failed);
    } catch (error) {
      void failed(error);
    }
  }

  /** Hooks that have not settled yet. */
  get running(): PromiseLike<void>[] {
    return Array.from(this.#active.values(), ({ tail }) => tail).filter((tail) => tail !== undefined);
  }

  #roomOf(active: ActiveRoom<State, Env>): LocalRoom<State, Env> {
    return (active.room ??= this.#rooms.makeRoom(active.name));
  }

  #info(name: string): Arguments {
    return [{ elsewhere: this.#rooms.shared?.elsewhere(name) ?? 0 }];
  }

  #activeRoom(name: string): ActiveRoom<State, Env> {
    let active = this.#active.get(name);
    if (active === undefined) {
      active = { name, room: undefined, connections: 0, opened: true, tail: undefined };
      this.#active.set(name, active);
    }
    return active;
  }

  /** Forgets a room without connections and running hooks. */
  #afterwards<T>(name: string, active: ActiveRoom<State, Env>, running: MaybePromise<T>): MaybePromise<T> {
    const forget = (outcome: T): T => {
      if (active.connections === 0 && active.tail === undefined && this.#active.get(name) === active) this.#active.delete(name);
      return outcome;
    };
    return isPromise(running) ? running.then(forget) : forget(running);
  }

  /**
   * Runs a hook after earlier ones. `prepare`, called then, returns the arguments after the room, or undefined to skip the hook.
   * Returns whether it succeeded; never throws or rejects. @param waits `prepare` has to be waited for, also where there is no hook.
   */
  #run(
    active: ActiveRoom<State, Env>,
    hook: RoomHook,
    prepare: () => MaybePromise<Arguments | undefined>,
    waits = false,
  ): MaybePromise<boolean> {
    // Most handlers have no such hook.
    if (!waits && active.tail === undefined && this.#hookOf(hook) === undefined) return true;
    const call = (args: Arguments | undefined): MaybePromise<boolean> => args !== undefined && this.#call(hook, this.#roomOf(active), args);
    const start = (): MaybePromise<boolean> => {
      const args = prepare();
      return isPromise(args) ? args.then(call) : call(args);
    };
    const running = active.tail === undefined ? start() : active.tail.then(start);
    if (!isPromise(running)) return running;
    const over = (): void => {
      if (active.tail === tail) active.tail = undefined;
    };
    const tail: PromiseLike<void> = running.then(over, over);
    active.tail = tail;
    return running;
  }

  #hookOf(hook: RoomHook): ((room: LocalRoom<State, Env>, info: AlarmInfo & RoomInfo) => MaybePromise<void>) | undefined {
    const { hooks } = this.#rooms.host;
    return hook === "alarm" ? hooks.alarm : hook === "room.open" ? hooks.room?.open : hooks.room?.empty;
  }

  #call(hook: RoomHook, room: LocalRoom<State, Env>, args: Arguments): MaybePromise<boolean> {
    const { hooks, settings } = this.#rooms.host;
    const failed = (error: unknown): MaybePromise<boolean> => {
      const reported = this.#rooms.host.failed(error, { hook, room }, this.#rooms.counters(room.name));
      return isPromise(reported) ? reported.then(() => false) : false;
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
