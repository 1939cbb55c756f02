/**
 * The parts of Cloudflare's API that the adapters use, as structural types: published code must compile with and without
 * @cloudflare/workers-types, whose global types would clash with another runtime's.
 */
import type { RoomCall } from "../../src/rooms/remote-room.ts";
import type { CloseInfo, EventSocket } from "../shared/events.ts";

/** A server's half of a WebSocketPair, or a hibernating object's socket. */
export interface NativeSocket {
  /** 1 open, 2 closing, 3 closed. */
  readonly readyState: number;
  send(message: string | ArrayBuffer | ArrayBufferView): void;
  close(code?: number, reason?: string): void;
  serializeAttachment(value: unknown): void;
  deserializeAttachment(): unknown;
}

/** A message that workerd answers without the object. */
export interface AutoResponse {
  readonly request: string;
  readonly response: string;
}

/** A half that the Worker keeps for itself. */
export interface PairClose extends CloseInfo {
  readonly wasClean: boolean;
}

export interface PairSocket extends NativeSocket, EventSocket {
  binaryType: "blob" | "arraybuffer";
  accept(options?: { readonly allowHalfOpen?: boolean }): void;
}

export type SocketPair = new () => { readonly 0: PairSocket; readonly 1: PairSocket };

/** What `fetch` of a Worker gets third. */
export interface ExecutionContext {
  waitUntil(promise: Promise<unknown>): void;
  /** Ends the request on the spot; older runtimes have none. */
  abort?(): void;
}

/** What a Worker's entry point exports. */
export interface Fetcher {
  fetch(request: Request, env: unknown, ctx: ExecutionContext): Response | Promise<Response>;
}

/** A Durable Object binding. */
export interface ObjectNamespace {
  idFromName(name: string): unknown;
  get(id: never, options?: { readonly locationHint?: string }): object;
  jurisdiction(name: string): ObjectNamespace;
}

/** One object seen from outside: the methods of adapters/durable/index.ts, over RPC. */
export interface ObjectStub {
  fetch(request: Request, init: { readonly cf: object }): Promise<Response>;
  edgewireRoom(room: string, method: RoomCall, args: readonly unknown[], jurisdiction: string | undefined): Promise<unknown>;
}
