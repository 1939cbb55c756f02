"use client";
/** Hooks over edgewire/client and edgewire/messages. docs/frameworks/react.md explains the use. Where nothing is mounted, as on a server, they do nothing. */
export { useSocket } from "./socket.ts";
export { useMessages } from "./messages.ts";
export { useMessage } from "./message.ts";
export { useRequest } from "./request.ts";
export { useStream } from "./stream.ts";
export { usePresence } from "./presence.ts";
export type { CallState } from "./call.ts";
export type { MessagesState } from "./messages.ts";
export type { PresentState } from "./presence.ts";
export type { CallOptions, RequestState } from "./request.ts";
export type { SocketOptions, SocketState } from "./socket.ts";
export type { StreamCallOptions, StreamState } from "./stream.ts";
