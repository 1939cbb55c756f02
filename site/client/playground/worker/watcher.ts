/** The observer of the handler that runs: the log of hooks, the rooms, and what an outside view does not have. */
import type { ErrorContext, HookRun, LocalRoom, Observer } from "edgewire";
import type { Report } from "../protocol.ts";
import { problemOf } from "./compile.ts";
import { short } from "./show.ts";

export class Watcher {
  /** The rooms in whose hooks something has run, by name. */
  readonly rooms = new Map<string, LocalRoom>();
  /** When the `alarm` hook of a room is due: only hooks set it, and nothing tells it. */
  readonly alarms = new Map<string, number>();
  /** Connections with delivery whose client is away, by id. */
  readonly away = new Set<string>();
  readonly #report: (report: Report) => void;
  readonly #changed: () => void;
  readonly #patched = new WeakSet<object>();

  constructor(report: (report: Report) => void, changed: () => void) {
    this.#report = report;
    this.#changed = changed;
  }

  /** The observer, with the handler's own. */
  observing(given: Observer = {}): Observer {
    const also = <Name extends keyof Observer>(name: Name, see: NonNullable<Observer[Name]>): NonNullable<Observer[Name]> =>
      ((...args: never[]) => {
        (see as (...all: never[]) => void)(...args);
        (given[name] as ((...all: never[]) => void) | undefined)?.(...args);
      }) as NonNullable<Observer[Name]>;
    return {
      ...given,
      opened: also("opened", (connection) => this.#saw(connection.room)),
      closed: also("closed", ({ id }) => void this.away.delete(id)),
      disconnected: also("disconnected", ({ id }) => void this.away.add(id)),
      returned: also("returned", ({ id }) => void this.away.delete(id)),
      refused: also("refused", ({ status, cause }) => this.#log(`refused with ${status} (${cause})`)),
      failed: also("failed", (error, context) => this.#failed(error, context)),
      hook: (run, what) => {
        this.#hook(what);
        return given.hook === undefined ? run() : given.hook(run, what);
      },
    };
  }

  #hook({ hook, connection, room, call }: HookRun): void {
    const seen = room ?? connection?.room;
    if (seen !== undefined) this.#saw(seen);
    if (hook === "alarm" && room !== undefined) this.alarms.delete(room.name);
    const where = connection === undefined ? (room?.name ?? "") : short(connection.id);
    this.#log(`${call === undefined ? hook : `call ${call}`}${where === "" ? "" : ` · ${where}`}`);
    this.#changed();
  }

  #failed(error: unknown, { hook }: ErrorContext): void {
    const problem = problemOf(error);
    this.#report({ type: "problem", problem: { ...problem, message: `${hook}: ${problem.message}` } });
  }

  #saw(room: LocalRoom): void {
    this.rooms.set(room.name, room);
    const prototype = Object.getPrototypeOf(room) as LocalRoom;
    if (this.#patched.has(prototype)) return;
    this.#patched.add(prototype);
    const { setAlarm } = prototype;
    const { alarms } = this;
    prototype.setAlarm = function (this: LocalRoom, time) {
      setAlarm.call(this, time);
      if (time === null) alarms.delete(this.name);
      else alarms.set(this.name, Number(time));
    };
  }

  #log(text: string): void {
    this.#report({ type: "log", kind: "hook", text });
  }
}
