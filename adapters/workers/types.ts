/**
 * Structural types for the parts of Cloudflare's API that the adapters use. The published code must compile with and without
 * @cloudflare/workers-types, whose global types would conflict with those of other runtimes.
 */
import type { RoomCall } from "../../src/rooms/remote-room.ts";
import type { CloseInfo, EventSocket } from "../shared/events.ts";

/** The server's half of a WebSocketPair, or the socket of a hibernating object. */
export interface NativeSocket {
  /** 1 open, 2 closing, 3 closed. */
  readonly readyState: number;
  send(message: string | ArrayBuffer | ArrayBufferView): void;
  close(code?: number, reason?: string): void;
  serializeAttachment(value: unknown): void;
  deserializeAttachment(): unknown;
}

/** A message that workerd answers without waking the object, and its answer. */
export interface AutoResponse {
  readonly request: string;
  readonly response: string;
}

/** A close event of a WebSocketPair. */
export interface PairClose extends CloseInfo {
  readonly wasClean: boolean;
}

export interface PairSocket extends NativeSocket, EventSocket {
  binaryType: "blob" | "arraybuffer";
  accept(options?: { readonly allowHalfOpen?: boolean }): void;
}

export type SocketPair = new () => { readonly 0: PairSocket; readonly 1: PairSocket };

/** The third argument of a Worker's `fetch`. */
export interface ExecutionContext {
  waitUntil(promise: Promise<unknown>): void;
  /** Ends the request immediately. Older runtimes lack it. */
  abort?(): void;
}

/** The default export of a Worker. */
export interface Fetcher {
  fetch(request: Request, env: unknown, ctx: ExecutionContext): Response | Promise<Response>;
}

/** A Durable Object binding. */
export interface ObjectNamespace {
  idFromName(name: string): unknown;
  get(id: never, options?: { readonly locationHint?: string }): object;
  jurisdiction(name: string): ObjectNamespace;
}

/** A stub of one object: the methods of adapters/durable/index.ts, over RPC. */
export interface ObjectStub {
  fetch(request: Request, init: { readonly cf: object }): Promise<Response>;
  edgewireRoom(room: string, method: RoomCall, args: readonly unknown[], jurisdiction: string | undefined): Promise<unknown>;
}
