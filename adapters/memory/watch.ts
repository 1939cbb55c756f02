/** What of a handler is under way: its hooks and calls, and work that no hook waits for. */
import type { DefinedHandler } from "../../src/handler/define.ts";
import { isPromise } from "../../src/values/promise.ts";
import { quoted } from "../../src/values/log.ts";

type Run = (...args: unknown[]) => unknown;

export class Watch {
  /** Counts what has happened. */
  activity = 0;
  /** The hook or call whose synchronous part runs, as errors name it. */
  inside: string | undefined;
  readonly #pending = new Map<Promise<void>, string>();

  /** Everything under way, with its name. The promises never reject. */
  get pending(): ReadonlyMap<Promise<void>, string> {
    return this.#pending;
  }

  /** The same handler, watched. */
  handler(handler: DefinedHandler): DefinedHandler {
    const given = handler.hooks as Record<string, unknown>;
    const hooks = this.#watched(given, (name, on) => `the ${name} hook${placeOf(on)}`);
    const room = given["room"];
    if (typeof room === "object" && room !== null)
      define(
        hooks,
        "room",
        this.#watched(room as Record<string, unknown>, (name, on) => `the room.${name} hook${placeOf(on)}`),
      );
    // Only own functions are calls.
    const calls = Object.assign(
      Object.create(null),
      this.#watched({ ...handler.calls }, (name, on) => `the call ${quoted(name)}${placeOf(on)}`),
    );
    return { ...handler, hooks, calls } as DefinedHandler;
  }

  /** Waits for it, and forgets it. */
  add(work: PromiseLike<unknown>, what: string): void {
    this.activity++;
    const over = (): void => {
      this.activity++;
      this.#pending.delete(settled);
    };
    const settled: Promise<void> = Promise.resolve(work).then(over, over);
    this.#pending.set(settled, what);
  }

  /** An object with the same functions; each is called on the given one. */
  #watched<T extends Record<string, unknown>>(on: T, nameOf: (name: string, first: unknown) => string): T {
    const watched = Object.create(on) as T;
    for (const name in on) {
      const run = on[name];
      if (typeof run === "function")
        define(watched, name, (...args: unknown[]) => this.#run(nameOf(name, args[0]), () => Reflect.apply(run as Run, on, args)));
    }
    return watched;
  }

  #run(what: string, run: () => unknown): unknown {
    const before = this.inside;
    this.inside = what;
    this.activity++;
    try {
      const result = run();
      if (!isPromise(result)) return result;
      // Two may listen to a promise. Anything else with a `then` may do its work again for the second.
      const promise = result instanceof Promise ? result : new Promise((resolve) => resolve(result));
      this.add(promise, what);
      return promise;
    } finally {
      this.inside = before;
    }
  }
}

function define(on: object, name: string, value: unknown): void {
  Object.defineProperty(on, name, { value, enumerable: true });
}

/** Where a hook runs, from its first argument: a connection, a room or a request. */
function placeOf(first: unknown): string {
  const { room, name, url } = Object(first) as { readonly room?: { readonly name: string }; readonly name?: string; readonly url?: string };
  const place = room?.name ?? name;
  if (place !== undefined) return ` in room ${quoted(place)}`;
  return url === undefined ? "" : ` for ${quoted(url)}`;
}
