/** Edgewire's core: what an application imports to write a handler. */
export { defineHandler } from "./define.ts";
export { CloseCode } from "./close.ts";
export { sameSecret } from "./secret.ts";
export type { HookRun, Observer, Refusal } from "./observe.ts";
export type { CloseOptions } from "./shutdown.ts";
export type { RoomStats, Stats, Traffic } from "./stats.ts";
export type {
  Closing,
  Connection,
  ConnectionInfo,
  Data,
  Dropped,
  ErrorContext,
  Handler,
  Heartbeat,
  Hooks,
  HookName,
  History,
  HistoryEntry,
  HistoryOption,
  HistoryReader,
  HistorySettings,
  LocalRoom,
  LocationHint,
  MaybePromise,
  Member,
  Options,
  Origins,
  Phase,
  Placement,
  PresenceDiff,
  PublishOptions,
  Replay,
  Room,
  RoomHooks,
  RoomStorage,
  RoomValues,
  Rooms,
  Sendable,
  SendResult,
  StorageOption,
  UpgradeContext,
  UpgradeResult,
} from "./types.ts";
