/** Edgewire's core: what an application imports to write a handler. */
export { defineHandler } from "./handler/define.ts";
export type { DefinedHandler, StateOf } from "./handler/define.ts";
export { CloseCode } from "./protocol/close.ts";
export { wantsWebSocket } from "./protocol/handshake.ts";
export { sameSecret } from "./protocol/secret.ts";
export type { BackplaneEvent, HookRun, Observer, Refusal } from "./api/observer.ts";
export type { AnyCalls, CallArguments, CallFunction, CallResult, CallsOf, NoCalls, RoomOptions, UntypedCalls } from "./api/calls.ts";
export type { CloseOptions } from "./server/shutdown.ts";
export type { BackplaneStats, RoomStats, Stats, Traffic } from "./api/stats.ts";
export type { Closing, Connection, Data, MaybePromise, MessageInfo, Phase, Sendable, SendOptions, SendResult } from "./api/connection.ts";
export type { Delivery, DeliveryOptions } from "./api/delivery.ts";
export type {
  AnyVars,
  Dropped,
  ErrorContext,
  GivenHandler,
  Handler,
  Hooks,
  HookName,
  NamedHandler,
  RoomHooks,
  UpgradeContext,
  UpgradeResult,
} from "./api/handler.ts";
export type { Upgraded } from "./api/upgraded.ts";
export type {
  AlarmInfo,
  BroadcastOptions,
  ConnectionInfo,
  LocalRoom,
  Member,
  PresenceDiff,
  PublishOptions,
  Room,
  RoomInfo,
  RoomNamesRange,
  Rooms,
  ScheduledCall,
  ServerRooms,
} from "./api/room.ts";
export type {
  History,
  HistoryEncoder,
  HistoryEntry,
  HistoryOption,
  HistoryReader,
  HistorySettings,
  Replay,
  ReplayStart,
} from "./api/history.ts";
export type { RoomStorage, RoomTransaction, RoomValues, StorageOption } from "./api/storage.ts";
export type { Heartbeat, LocationHint, Options, Origins, Placement } from "./api/options.ts";
