/** What rooms that span servers need of a server's rooms. */
import type { LocalRooms } from "../../rooms/local-room.ts";
import type { MaybePromise } from "../../api/connection.ts";
import type { HookName } from "../../api/handler.ts";
import type { CallAnswer, CallRequest } from "../../rooms/calls/wire.ts";
import type { CallRunner } from "../../rooms/due/part.ts";
import type { AlarmInfo, LocalRoom } from "../../api/room.ts";
import type { Declaring } from "../../rooms/shared.ts";

export interface SharingRooms<State, Env> extends LocalRooms<State, Env> {
  readonly lifecycle: {
    room(name: string): LocalRoom<State, Env>;
    alarm(room: string, begin: () => MaybePromise<AlarmInfo | undefined>): MaybePromise<boolean>;
  };
  readonly calls: { answer(room: string, request: CallRequest): Promise<CallAnswer> };
  /** Undefined if the handler has no calls. */
  readonly callRunner: CallRunner | undefined;
  /** Reports a failure in a room. Never throws or rejects. */
  failed(hook: HookName, room: string, error: unknown): MaybePromise<void>;
  /** Someone of another server declares a member, or withdraws it. Call it before `shared` says so. @param tells runs the hook. */
  presentElsewhere(room: string, one: Declaring, before: string | undefined, now: string | undefined, tells: boolean): void;
}
