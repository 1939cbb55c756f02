/** What the option `backplane` brings into a server, and what it gets of it. The part itself is in src/cluster: a server without it does not load it. */
import type { RoomRegistry } from "../rooms/registry.ts";
import type { SharedRooms } from "../rooms/shared.ts";

/** What `memoryBackplane()` and `redis()` return: what servers share, and how a server's rooms use it. */
export interface SharedBackplane {
  /** For adapters. @param registry all rooms of a server. @throws Error for a handler that can't have it. */
  share<State, Env>(registry: RoomRegistry<State, Env>): SharedRooms<State, Env>;
}
