/**
 * Cloudflare Durable Objects with hibernating sockets: a room is an object, which the runtime drops from memory while its
 * clients stay connected. The Worker's side, `route` and `rooms`, is in adapters/workers/route.ts and adapters/workers/rooms.ts.
 */
import { DurableObject } from "cloudflare:workers";
import { checkHandler } from "../../src/handler/define.ts";
import type { DefinedHandler } from "../../src/handler/define.ts";
import type { RoomCall } from "../../src/rooms/remote-room.ts";
import type { MaybePromise } from "../../src/api/connection.ts";
import type { ObjectContext } from "./context.ts";
import { hostClass } from "./dev/development.ts";
import type { ObjectHost } from "./host.ts";
import { requireBinding } from "../workers/rooms.ts";
import type { NativeSocket } from "../workers/types.ts";

export { rooms } from "../workers/rooms.ts";
export { route } from "../workers/route.ts";

/** An object of a room, as a subclass and the runtime see it. */
export declare class RoomObject<Env = unknown> {
  /** What @cloudflare/workers-types tells a Durable Object's class by. */
  readonly __DURABLE_OBJECT_BRAND: never;
  constructor(ctx: ObjectContext, env: Env);
  protected readonly ctx: ObjectContext;
  protected readonly env: Env;
  /** Opens what `route` forwards; any other request is a handshake, `upgrade` included. */
  fetch(request: Request): Promise<Response>;
  webSocketMessage(ws: NativeSocket, message: string | ArrayBuffer): MaybePromise<void>;
  webSocketClose(ws: NativeSocket, code: number, reason: string, wasClean: boolean): MaybePromise<void>;
  webSocketError(ws: NativeSocket, error: unknown): MaybePromise<void>;
  /** Liveness, expiry and `room.setAlarm` share the object's one alarm: an override calls `super.alarm()`. */
  alarm(): MaybePromise<void>;
  /** For `rooms`, over RPC. */
  edgewireRoom(room: string, method: RoomCall, args: readonly unknown[], jurisdiction: string | undefined): Promise<unknown>;
}

/**
 * The class of a handler's Durable Object: `export class ChatRoom extends durable(chat) {}`. A subclass may add methods; one
 * that overrides `fetch` or a `webSocket…` method calls `super`'s for what it does not take itself.
 * @throws TypeError for a handler that `defineHandler` did not make, or without `binding`.
 */
export function durable<State, Env>(handler: DefinedHandler<State, Env>): typeof RoomObject<Env> {
  checkHandler("durable", handler);
  requireBinding("durable", handler);
  const MountedHandlers = hostClass();
  class DurableRoom extends DurableObject {
    readonly #host: ObjectHost;

    constructor(ctx: ObjectContext, env: Env) {
      super(ctx, env);
      this.#host = new MountedHandlers(handler as DefinedHandler, ctx, env);
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
  // `ctx` and `env` are DurableObject's own, whose types only Cloudflare's package knows.
  return DurableRoom as unknown as typeof RoomObject<Env>;
}
