/**
 * Where a connection's state is stored: in its snapshot while it fits there, otherwise as a value of its room, which is read when
 * somebody asks for the state. The same on every runtime; nothing is written where memory outlives the socket.
 */
import { decode } from "./codec.ts";
import type { Server } from "./server.ts";
import { encodeApart, encodeClosing, encodeSnapshot, statePrefix } from "./snapshot.ts";
import type { Rest, Stateless } from "./snapshot.ts";
import type { Phase } from "./types.ts";
import type { Socket, Store } from "./ports.ts";

/** The connection, as far as it is stored. */
interface Stored {
  readonly id: string;
  readonly roomName: string;
  readonly phase: Phase;
  readonly socket: Socket;
  readonly snapshot: Stateless;
}

/**
 * Checks that the connection can be stored with this state, and stores it.
 * @throws TypeError, RangeError: see `encodeSnapshot`.
 */
export function keepState<State, Env>(server: Server<State, Env>, live: Stored, rest: Rest, state: unknown): Rest {
  const encoded = encodeSnapshot({ ...live.snapshot, state }, server.settings.maxState);
  // Of one that has ended nothing is kept.
  if (live.socket.save !== undefined && live.phase !== "closed") {
    if (encoded.state !== undefined) valuesOf(server, live).set(keyOf(live), encoded.state);
    live.socket.save(encoded.saved);
    if (rest.apart === true && encoded.state === undefined) valuesOf(server, live).delete(keyOf(live));
  }
  const { url, protocol, remoteAddress } = rest;
  return { url, protocol, remoteAddress, state, apart: encoded.state !== undefined };
}

/** The same with the state as it is; where that is stored apart, it stays there unread. */
export function keepRest<State, Env>(server: Server<State, Env>, live: Stored, rest: Rest): Rest {
  if (rest.apart !== true) return keepState(server, live, rest, rest.state);
  const saved = encodeApart(live.snapshot);
  live.socket.save?.(saved);
  return rest;
}

/** The same for one that closes, which must not fail. */
export function keepClosing(live: Stored, rest: Rest): void {
  if (live.socket.save !== undefined) live.socket.save(encodeClosing(live.snapshot, rest));
}

/** With the state in it. @throws Error for one that its room no longer has. */
export function withState<State, Env>(server: Server<State, Env>, live: Stored, rest: Rest): Rest {
  if (rest.apart !== true || "state" in rest) return rest;
  const stored = valuesOf(server, live).get(keyOf(live));
  if (stored === undefined) throw new Error(`the state of connection ${live.id} is no longer in the storage of room "${live.roomName}"`);
  return { ...rest, state: decode(stored) };
}

/** The connection is over. Its close hook may still ask for the state. */
export function forgetState<State, Env>(server: Server<State, Env>, live: Stored, rest: Rest): Rest {
  if (live.socket.save === undefined || rest.apart !== true) return rest;
  let last = rest;
  try {
    if (server.hooks.close !== undefined) last = withState(server, live, rest);
  } catch {
    // A hook that asks for it will be told.
  }
  valuesOf(server, live).delete(keyOf(live));
  return last;
}

function valuesOf<State, Env>(server: Server<State, Env>, { roomName }: Stored): Store {
  return server.needRooms("state").store(roomName);
}

function keyOf({ id }: Stored): string {
  return statePrefix + id;
}
