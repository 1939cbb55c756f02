/**
 * In development, an object says what keeps it from hibernating. Nothing tells when an object sleeps, and to look would keep it awake: so the
 * next event asks how long ago the last was. An object that slept has been made again; one that remembers did not sleep.
 */
import type { DefinedHandler } from "../../../src/handler/define.ts";
import { isPromise } from "../../../src/values/promise.ts";
import { log } from "../../../src/values/log.ts";
import type { RoomCall } from "../../../src/rooms/remote-room.ts";
import type { MaybePromise } from "../../../src/api/connection.ts";
import type { ObjectContext } from "../context.ts";
import { holding, holds, watchGlobals } from "./holds.ts";
import type { Hold } from "./holds.ts";
import { ObjectHost } from "../host.ts";
import type { NativeSocket } from "../../workers/types.ts";

/** workerd evicts an object that has had nothing to do for 10 s. */
const longest = 15_000;

/** Causes that were reported, in this isolate: of a hundred rooms one is enough. */
const reported = new Set<string>();

/** An ObjectHost that watches itself. */
export class WatchedHost extends ObjectHost {
  readonly #ctx: ObjectContext;
  #last = Date.now();

  constructor(handler: DefinedHandler, ctx: ObjectContext, env: unknown) {
    watchGlobals();
    // There is no `this` while the ObjectHost is made, and it may be waiting for something already.
    const early: Promise<unknown>[] = [];
    let hear = (promise: Promise<unknown>): unknown => early.push(promise);
    const watched = withWatchedPromises(ctx, (promise) => void hear(promise));
    super(handler, watched, env);
    this.#ctx = ctx;
    hear = (promise) => this.#pending(promise);
    early.forEach(hear);
  }

  override fetch(request: Request): MaybePromise<Response> {
    return this.#event(() => super.fetch(request));
  }

  override message(ws: NativeSocket, data: string | ArrayBuffer): MaybePromise<void> {
    return this.#event(() => super.message(ws, data));
  }

  override closed(ws: NativeSocket, code: number, reason: string, wasClean: boolean): MaybePromise<void> {
    return this.#event(() => super.closed(ws, code, reason, wasClean));
  }

  override failed(ws: NativeSocket, error: unknown): MaybePromise<void> {
    return this.#event(() => super.failed(ws, error));
  }

  override call(name: string, method: RoomCall, args: readonly unknown[], jurisdiction: string | undefined): unknown {
    return this.#event(() => super.call(name, method, args, jurisdiction));
  }

  override alarm(): MaybePromise<void> {
    return this.#event(() => super.alarm());
  }

  #event<T>(run: () => T): T {
    const idle = Date.now() - this.#last;
    // Without sockets it is not hibernation that ends it, and that may take longer.
    if (idle > longest && this.#ctx.getWebSockets().length > 0) this.#report(idle);
    try {
      const result = holding(this, run);
      if (isPromise(result)) this.#pending(result);
      return result;
    } finally {
      this.#last = Date.now();
    }
  }

  #pending(promise: PromiseLike<unknown>): void {
    const hold = holds.add(this, "hook");
    const settled = (): void => {
      holds.delete(hold);
      this.#last = Date.now();
    };
    promise.then(settled, settled);
  }

  #report(idle: number): void {
    // What ended longer ago than `longest` can't have kept it until now.
    const known = holds.of(this, this.#last + idle - longest);
    const causes = known.length > 0 ? known : [undefined];
    for (const hold of causes) {
      const cause = hold === undefined ? "unknown" : `${hold.what} ${hold.where}`;
      if (reported.has(cause)) continue;
      reported.add(cause);
      const seconds = Math.round(idle / 1000);
      log(
        "warn",
        `room "${this.#ctx.id.name ?? ""}" stayed awake for ${seconds} s in which nothing happened to it, and would have been billed for them. ${explain(hold)}`,
      );
    }
  }
}

function explain(hold: Hold | undefined): string {
  if (hold === undefined)
    return "Edgewire does not see why: a fetch whose body is not read, a stream, an RPC that is pending, or an inspector that is attached.";
  const at = hold.where === "" ? "" : ` (${hold.where})`;
  switch (hold.what) {
    case "hook":
      return "A hook has not settled yet: what it waits for keeps the room awake.";
    case "fetch":
      return `A fetch${at} has not been answered yet: AbortSignal.timeout bounds it.`;
    case "WebSocket":
      return `An outgoing WebSocket${at} is open: it can't hibernate. Open it in a Worker, or only while it is needed.`;
    default:
      return `A ${hold.what}${at} was pending: room.setAlarm(time) and the alarm hook wake a room that sleeps, and the heartbeat finds clients that vanished.`;
  }
}

/** The same context, whose `waitUntil` is heard. */
function withWatchedPromises(ctx: ObjectContext, hear: (promise: Promise<unknown>) => void): ObjectContext {
  return new Proxy(ctx, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      if (key !== "waitUntil") return value.bind(target) as unknown;
      return (promise: Promise<unknown>): void => {
        hear(promise);
        target.waitUntil(promise);
      };
    },
  });
}
