/** Edgewire's core: what an application imports to write a handler. */
export { defineHandler } from "./define.ts";
export { CloseCode } from "./close.ts";
export type {
  Closing,
  Connection,
  Data,
  ErrorContext,
  Handler,
  Hooks,
  HookName,
  MaybePromise,
  Options,
  Origins,
  Phase,
  PublishOptions,
  Room,
  Rooms,
  Sendable,
  SendResult,
  UpgradeContext,
  UpgradeResult,
} from "./types.ts";
