/** In development: records pending work of the isolate that can keep an object awake. */
import { internalTimer } from "../wait.ts";

export interface PendingWork {
  readonly what: "hook" | "setTimeout" | "setInterval" | "fetch" | "WebSocket";
  /** The stack frame that started it. */
  readonly where: string;
  /** The object whose event started it; undefined if it started after an await, when that is unknown. */
  readonly owner: object | undefined;
  /** When it ended, in milliseconds since 1970; undefined while it is pending. */
  ended: number | undefined;
}

/** How many ended items are kept for reports. */
const maxEnded = 100;

class PendingWorkLog {
  readonly #pending = new Set<PendingWork>();
  readonly #ended: PendingWork[] = [];

  add(owner: object | undefined, what: PendingWork["what"], where = ""): PendingWork {
    const work: PendingWork = { what, where, owner, ended: undefined };
    this.#pending.add(work);
    return work;
  }

  delete(work: PendingWork | undefined): void {
    if (work === undefined || !this.#pending.delete(work)) return;
    work.ended = Date.now();
    if (this.#ended.push(work) > maxEnded) this.#ended.shift();
  }

  /** What may have kept the object awake since then, each cause once: its own work, or if it has none, work with an unknown owner. */
  of(owner: object, since: number): PendingWork[] {
    const ended = this.#ended.filter(({ ended: at, what }) => at !== undefined && at > since && what !== "hook");
    const all = [...this.#pending, ...ended];
    const owned = all.filter((work) => work.owner === owner);
    const known = owned.length > 0 ? owned : all.filter((work) => work.owner === undefined);
    return [...new Map(known.map((work) => [`${work.what} ${work.where}`, work])).values()];
  }
}

export const pendingWork: PendingWorkLog = new PendingWorkLog();

let current: object | undefined;

/** Attributes to the object what starts in `run` before its first await, and in timers that `run` sets. */
export function attributeTo<T>(owner: object | undefined, run: () => T): T {
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

/** Starts recording the isolate's timers, fetches and outgoing WebSockets. */
export function watchGlobals(): void {
  if (watched) return;
  watched = true;
  const scope = globalThis as unknown as Globals;
  const { setTimeout, setInterval, clearTimeout, clearInterval, fetch, WebSocket } = scope;
  const timers = new Map<unknown, PendingWork>();
  const removeTimer = (timer: unknown): void => {
    pendingWork.delete(timers.get(timer));
    timers.delete(timer);
  };
  scope.setTimeout = (callback, ...rest) => {
    if (rest.includes(internalTimer)) return Reflect.apply(setTimeout, scope, [callback, ...rest]);
    const work = pendingWork.add(current, "setTimeout", callerOf());
    const fire = (...args: unknown[]): void => {
      removeTimer(timer);
      attributeTo(work.owner, () => callback(...args));
    };
    const timer: unknown = Reflect.apply(setTimeout, scope, [fire, ...rest]);
    timers.set(timer, work);
    return timer;
  };
  scope.setInterval = (callback, ...rest) => {
    const work = pendingWork.add(current, "setInterval", callerOf());
    const fire = (...args: unknown[]): void => attributeTo(work.owner, () => callback(...args));
    const timer: unknown = Reflect.apply(setInterval, scope, [fire, ...rest]);
    timers.set(timer, work);
    return timer;
  };
  for (const [name, clear] of [["clearTimeout", clearTimeout] as const, ["clearInterval", clearInterval] as const]) {
    scope[name] = (timer) => {
      removeTimer(timer);
      Reflect.apply(clear, scope, [timer]);
    };
  }
  scope.fetch = (...args) => {
    const work = pendingWork.add(current, "fetch", callerOf());
    const ended = (): void => pendingWork.delete(work);
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
      const work = pendingWork.add(current, "WebSocket", callerOf());
      socket.addEventListener("close", () => pendingWork.delete(work));
      socket.addEventListener("error", () => pendingWork.delete(work));
      return socket;
    },
  });
}

/** The stack frame that called a watched global. */
function callerOf(): string {
  return (new Error().stack?.split("\n")[3] ?? "").trim();
}
