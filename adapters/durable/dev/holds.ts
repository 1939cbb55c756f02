/** In development: what is pending in an isolate and keeps an object awake, as far as it can be seen. */
import { own } from "../wait.ts";

export interface Hold {
  readonly what: "hook" | "setTimeout" | "setInterval" | "fetch" | "WebSocket";
  /** The line that began it. */
  readonly where: string;
  /** The object in whose event it began; undefined after an await, when nobody knows. */
  readonly owner: object | undefined;
  /** Milliseconds since 1970; undefined while it is pending. */
  ended: number | undefined;
}

/** For a report, of what has ended. */
const most = 100;

class Holds {
  readonly #pending = new Set<Hold>();
  readonly #ended: Hold[] = [];

  add(owner: object | undefined, what: Hold["what"], where = ""): Hold {
    const hold: Hold = { what, where, owner, ended: undefined };
    this.#pending.add(hold);
    return hold;
  }

  delete(hold: Hold | undefined): void {
    if (hold === undefined || !this.#pending.delete(hold)) return;
    hold.ended = Date.now();
    if (this.#ended.push(hold) > most) this.#ended.shift();
  }

  /** What may have kept the object awake since then, each cause once: its own, or where it has none what is nobody's. */
  of(owner: object, since: number): Hold[] {
    const ended = this.#ended.filter(({ ended: at, what }) => at !== undefined && at > since && what !== "hook");
    const all = [...this.#pending, ...ended];
    const owned = all.filter((hold) => hold.owner === owner);
    const known = owned.length > 0 ? owned : all.filter((hold) => hold.owner === undefined);
    return [...new Map(known.map((hold) => [`${hold.what} ${hold.where}`, hold])).values()];
  }
}

export const holds: Holds = new Holds();

let current: object | undefined;

/** What begins in `run`, up to its first await, and in timers that it sets, is the object's. */
export function holding<T>(owner: object | undefined, run: () => T): T {
  const before = current;
  current = owner;
  try {
    return run();
  } finally {
    current = before;
  }
}

type Timer = (callback: (...args: unknown[]) => void, ...rest: unknown[]) => unknown;

interface Globals {
  setTimeout: Timer;
  setInterval: Timer;
  clearTimeout(timer: unknown): void;
  clearInterval(timer: unknown): void;
  fetch(...args: unknown[]): Promise<unknown>;
  WebSocket: new (...args: unknown[]) => { addEventListener(type: string, listener: () => void): void };
}

let watched = false;

/** Timers, fetches and outgoing WebSockets of the isolate are noted from now on. */
export function watchGlobals(): void {
  if (watched) return;
  watched = true;
  const scope = globalThis as unknown as Globals;
  const { setTimeout, setInterval, clearTimeout, clearInterval, fetch, WebSocket } = scope;
  const timers = new Map<unknown, Hold>();
  const forget = (timer: unknown): void => {
    holds.delete(timers.get(timer));
    timers.delete(timer);
  };
  scope.setTimeout = (callback, ...rest) => {
    if (rest.includes(own)) return Reflect.apply(setTimeout, scope, [callback, ...rest]);
    const hold = holds.add(current, "setTimeout", callerOf());
    const fire = (...args: unknown[]): void => {
      forget(timer);
      holding(hold.owner, () => callback(...args));
    };
    const timer: unknown = Reflect.apply(setTimeout, scope, [fire, ...rest]);
    timers.set(timer, hold);
    return timer;
  };
  scope.setInterval = (callback, ...rest) => {
    const hold = holds.add(current, "setInterval", callerOf());
    const fire = (...args: unknown[]): void => holding(hold.owner, () => callback(...args));
    const timer: unknown = Reflect.apply(setInterval, scope, [fire, ...rest]);
    timers.set(timer, hold);
    return timer;
  };
  for (const [name, clear] of [["clearTimeout", clearTimeout] as const, ["clearInterval", clearInterval] as const]) {
    scope[name] = (timer) => {
      forget(timer);
      Reflect.apply(clear, scope, [timer]);
    };
  }
  scope.fetch = (...args) => {
    const hold = holds.add(current, "fetch", callerOf());
    const ended = (): void => holds.delete(hold);
    try {
      return Reflect.apply(fetch, scope, args).finally(ended);
    } catch (error) {
      ended();
      throw error;
    }
  };
  scope.WebSocket = new Proxy(WebSocket, {
    construct(target, args, newTarget) {
      const socket = Reflect.construct(target, args, newTarget) as InstanceType<Globals["WebSocket"]>;
      const hold = holds.add(current, "WebSocket", callerOf());
      socket.addEventListener("close", () => holds.delete(hold));
      socket.addEventListener("error", () => holds.delete(hold));
      return socket;
    },
  });
}

/** The frame that called a watched global: below this function and the global's own. */
function callerOf(): string {
  return (new Error().stack?.split("\n")[3] ?? "").trim();
}
