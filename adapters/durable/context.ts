/** The object itself, to its class. */
import type { ObjectStorage } from "./store.ts";
import type { AutoResponse, NativeSocket } from "../workers/types.ts";

/** What the adapter uses of a `DurableObjectState`. */
export interface ObjectContext {
  readonly id: { readonly name?: string };
  waitUntil(promise: Promise<unknown>): void;
  acceptWebSocket(ws: NativeSocket): void;
  getWebSockets(): NativeSocket[];
  setWebSocketAutoResponse(pair?: AutoResponse): void;
  getWebSocketAutoResponseTimestamp(ws: NativeSocket): Date | null;
  readonly storage: ObjectStorage;
}
