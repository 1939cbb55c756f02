/**
 * In development, warns about what keeps an object from hibernating. workerd does not report when an object hibernates, and polling would keep it
 * awake. So each event checks how long ago the last one was: an object that hibernated has been created again, and remembers no last event.
 */
import type { DefinedHandler } from "../../../src/handler/define.ts";
import { isPromise } from "../../../src/values/promise.ts";
import { log } from "../../../src/values/log.ts";
import type { RoomCall } from "../../../src/rooms/remote-room.ts";
import type { MaybePromise } from "../../../src/api/connection.ts";
import type { ObjectContext } from "../context.ts";
import { attributeTo, pendingWork, watchGlobals } from "./pending-work.ts";
import type { PendingWork } from "./pending-work.ts";
import { ObjectHost } from "../host.ts";
import type { NativeSocket } from "../../workers/types.ts";

/** Milliseconds. workerd evicts an object after 10 s without work. */
const maxIdle = 15_000;

/** Causes already reported in this isolate: one report is enough for a hundred rooms. */
const reported = new Set<string>();

/** An ObjectHost that reports why it does not hibernate. */
export class WatchedHost extends ObjectHost {
  readonly #ctx: ObjectContext;
  #last = Date.now();

  constructor(handler: DefinedHandler, ctx: ObjectContext, env: unknown) {
    watchGlobals();
    // ObjectHost's constructor may already call `waitUntil`, before `this` exists.
    const tracked: Promise<unknown>[] = [];
    let track = (promise: Promise<unknown>): unknown => tracked.push(promise);
    const watched = withWatchedPromises(ctx, (promise) => void track(promise));
    super(handler, watched, env);
    this.#ctx = ctx;
    track = (promise) => this.#track(promise);
    tracked.forEach(track);
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
    // Without sockets the object does not hibernate but shuts down, which may take longer.
    if (idle > maxIdle && this.#ctx.getWebSockets().length > 0) this.#report(idle);
    try {
      const result = attributeTo(this, run);
      if (isPromise(result)) this.#track(result);
      return result;
    } finally {
      this.#last = Date.now();
    }
  }

  #track(promise: PromiseLike<unknown>): void {
    const work = pendingWork.add(this, "hook");
    const settled = (): void => {
      pendingWork.delete(work);
      this.#last = Date.now();
    };
    promise.then(settled, settled);
  }

  #report(idle: number): void {
    // Work that ended longer ago than `maxIdle` can't have kept it awake until now.
    const known = pendingWork.of(this, this.#last + idle - maxIdle);
    const causes = known.length > 0 ? known : [undefined];
    for (const work of causes) {
      const cause = work === undefined ? "unknown" : `${work.what} ${work.where}`;
      if (reported.has(cause)) continue;
      reported.add(cause);
      const seconds = Math.round(idle / 1000);
      log(
        "warn",
        `room "${this.#ctx.id.name ?? ""}" stayed awake for ${seconds} s without an event, and would have been billed for them. ${explain(work)} [EW706]`,
      );
    }
  }
}

function explain(work: PendingWork | undefined): string {
  if (work === undefined)
    return "Edgewire can't see why. It may be a fetch whose body is not read, a stream, a pending RPC, or an attached inspector.";
  const at = work.where === "" ? "" : ` (${work.where})`;
  switch (work.what) {
    case "hook":
      return "A hook, or a promise given to waitUntil, has not settled yet, which keeps the room awake.";
    case "fetch":
      return `A fetch${at} has not been answered yet: limit it with AbortSignal.timeout.`;
    case "WebSocket":
      return `An outgoing WebSocket${at} is open, and can't hibernate: open it in a Worker, or only while it is needed.`;
    default:
      return `A ${work.what}${at} was pending: use room.setAlarm(time) and the alarm hook, which wake a hibernated room; the heartbeat finds vanished clients.`;
  }
}

/** The same context, but it also reports the promises passed to `waitUntil`. */
function withWatchedPromises(ctx: ObjectContext, track: (promise: Promise<unknown>) => void): ObjectContext {
  return new Proxy(ctx, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      if (key !== "waitUntil") return value.bind(target) as unknown;
      return (promise: Promise<unknown>): void => {
        track(promise);
        target.waitUntil(promise);
      };
    },
  });
}
