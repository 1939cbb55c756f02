/**
 * Cloudflare Durable Objects with hibernating sockets. Each room is an object, which the runtime may evict from memory while its clients stay
 * connected. The Worker's side, `route` and `rooms`, is in adapters/workers/route.ts and adapters/workers/rooms.ts.
 */
import { DurableObject } from "cloudflare:workers";
import { checkHandler } from "../../src/handler/define.ts";
import type { DefinedHandler } from "../../src/handler/define.ts";
import type { RoomCall } from "../../src/rooms/remote-room.ts";
import type { AnyCalls } from "../../src/api/calls.ts";
import type { MaybePromise } from "../../src/api/connection.ts";
import type { ObjectContext } from "./context.ts";
import { hostClass } from "./dev/development.ts";
import type { ObjectHost } from "./host.ts";
import { requireBinding } from "../workers/rooms.ts";
import type { NativeSocket } from "../workers/types.ts";

export { rooms } from "../workers/rooms.ts";
export { route } from "../workers/route.ts";
export type { ObjectContext } from "./context.ts";
export type { Fetcher } from "../workers/types.ts";

/** The Durable Object of a room, as subclasses and the runtime see it. */
export declare class RoomObject<Env = unknown> {
  /** The property by which @cloudflare/workers-types recognizes the class of a Durable Object. */
  readonly __DURABLE_OBJECT_BRAND: never;
  constructor(ctx: ObjectContext, env: Env);
  protected readonly ctx: ObjectContext;
  protected readonly env: Env;
  /** Opens connections that `route` forwards. Any other request is treated as a handshake, and the `upgrade` hook runs here. */
  fetch(request: Request): Promise<Response>;
  webSocketMessage(ws: NativeSocket, message: string | ArrayBuffer): MaybePromise<void>;
  webSocketClose(ws: NativeSocket, code: number, reason: string, wasClean: boolean): MaybePromise<void>;
  webSocketError(ws: NativeSocket, error: unknown): MaybePromise<void>;
  /** Liveness, expiry and `room.setAlarm` share the object's only alarm: an override must call `super.alarm()`. */
  alarm(): MaybePromise<void>;
  /** Called by `rooms` over RPC. */
  edgewireRoom(room: string, method: RoomCall, args: readonly unknown[], jurisdiction: string | undefined): Promise<unknown>;
}

/**
 * The class of a handler's Durable Object: `export class ChatRoom extends durable(chat) {}`. A subclass may add methods. If it overrides `fetch` or a
 * `webSocket…` method, it must call `super` for what it does not handle itself.
 * @throws TypeError if the handler was not made by `defineHandler`, or has no `binding`.
 */
export function durable<State, Env, Calls extends AnyCalls, Vars>(
  handler: DefinedHandler<State, Env, Calls, Vars>,
): typeof RoomObject<Env> {
  checkHandler("durable", handler);
  requireBinding("durable", handler);
  const Host = hostClass();
  class DurableRoom extends DurableObject {
    readonly #host: ObjectHost;

    constructor(ctx: ObjectContext, env: Env) {
      super(ctx, env);
      this.#host = new Host(handler as unknown as DefinedHandler, ctx, env);
    }

    async fetch(request: Request): Promise<Response> {
      return this.#host.fetch(request);
    }

    webSocketMessage(ws: NativeSocket, message: string | ArrayBuffer): MaybePromise<void> {
      return this.#host.message(ws, message);
    }

    webSocketClose(ws: NativeSocket, code: number, reason: string, wasClean: boolean): MaybePromise<void> {
      return this.#host.closed(ws, code, reason, wasClean);
    }

    webSocketError(ws: NativeSocket, error: unknown): MaybePromise<void> {
      return this.#host.failed(ws, error);
    }

    alarm(): MaybePromise<void> {
      return this.#host.alarm();
    }

    async edgewireRoom(room: string, method: RoomCall, args: readonly unknown[], jurisdiction: string | undefined): Promise<unknown> {
      return this.#host.call(room, method, args, jurisdiction);
    }
  }
  // DurableObject defines `ctx` and `env`; their types are in Cloudflare's package.
  return DurableRoom as unknown as typeof RoomObject<Env>;
}
