/** Typed messages over the raw handler and any WebSocket. docs/guide/messages.md explains the use, docs/PROTOCOL.md the protocol. */
export { defineMessages } from "./define.ts";
export { messageHandler } from "./handler.ts";
export { messageClient } from "./client.ts";
export { MessageError } from "./error.ts";
export { json } from "./codec.ts";
export { presence } from "./topics/presence.ts";
export type { Codec } from "./codec.ts";
export type { AnyMessages, Definition, Messages } from "./define.ts";
export type {
  AskedConnection,
  MessagePayload,
  NamesOf,
  Payload,
  Requests,
  RequestSchemas,
  Schemas,
  ServerEntries,
  StreamSchemas,
} from "./entries.ts";
export type { Answered, MessageHandler, MessageHooks, RequestContext, RequestHooks } from "./hooks.ts";
export type { MessageClient, MessageSocket } from "./client.ts";
export type { AnswerContext } from "./answers.ts";
export type { RequestOptions } from "./exchange.ts";
export type { StreamOptions } from "./stream.ts";
export type { Gap, MessagePosition } from "./topics/positions.ts";
export type { PresenceDefinition, PresenceTopic } from "./topics/presence.ts";
export type { PresenceList, PresenceState, PresentMember } from "./topics/presence-list.ts";
export type { Issue } from "./error.ts";
export type { Received, Sent, StandardSchema } from "./standard.ts";
