/** Edgewire's core: what an application imports to write a handler. */
export { defineHandler } from "./define.ts";
export { CloseCode } from "./close.ts";
export { wantsWebSocket } from "./handshake.ts";
export { sameSecret } from "./secret.ts";
export type { HookRun, Observer, Refusal } from "./observe.ts";
export type { CloseOptions } from "./shutdown.ts";
export type { RoomStats, Stats, Traffic } from "./stats.ts";
export type {
  Closing,
  Connection,
  Data,
  Dropped,
  ErrorContext,
  Handler,
  Hooks,
  HookName,
  MaybePromise,
  Phase,
  RoomHooks,
  Sendable,
  SendResult,
  UpgradeContext,
  UpgradeResult,
} from "./types.ts";
export type {
  AlarmInfo,
  ConnectionInfo,
  History,
  HistoryEntry,
  HistoryOption,
  HistoryReader,
  HistorySettings,
  LocalRoom,
  Member,
  PresenceDiff,
  PublishOptions,
  Replay,
  Room,
  RoomStorage,
  RoomValues,
  Rooms,
  StorageOption,
} from "./room-types.ts";
export type { Heartbeat, LocationHint, Options, Origins, Placement } from "./options.ts";
