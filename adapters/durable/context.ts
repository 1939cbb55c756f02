/** The runtime's view of the object, passed to its class. */
import type { ObjectStorage } from "./store.ts";
import type { AutoResponse, NativeSocket } from "../workers/types.ts";

/** The part of `DurableObjectState` that the adapter uses. */
export interface ObjectContext {
  readonly id: { readonly name?: string };
  waitUntil(promise: Promise<unknown>): void;
  acceptWebSocket(ws: NativeSocket): void;
  getWebSockets(): NativeSocket[];
  setWebSocketAutoResponse(pair?: AutoResponse): void;
  getWebSocketAutoResponseTimestamp(ws: NativeSocket): Date | null;
  readonly storage: ObjectStorage;
}
