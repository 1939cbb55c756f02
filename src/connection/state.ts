/**
 * Where a connection's state is stored: in its snapshot if it fits, otherwise as a value of its room, which is read when
 * the state is needed. The same on every runtime; nothing is written if memory outlives the socket.
 */
import { decode } from "../values/codec.ts";
import type { Surroundings } from "./surroundings.ts";
import { encodeApart, encodeClosing, encodeSnapshot, statePrefix } from "./snapshot.ts";
import type { Rest, Stateless } from "./snapshot.ts";
import type { Phase } from "../api/connection.ts";
import type { Socket, Store } from "../ports.ts";

/** The stored part of a connection. */
interface Stored {
  readonly id: string;
  readonly roomName: string;
  readonly phase: Phase;
  readonly socket: Socket;
  readonly snapshot: Stateless;
}

/**
 * Checks that the connection can be stored with this state, and stores it; otherwise leaves what is stored unchanged.
 * @throws TypeError, RangeError: see `encodeSnapshot`; and what the storage throws.
 */
export function keepState<State, Env>(surroundings: Surroundings<State, Env>, connection: Stored, rest: Rest, state: unknown): Rest {
  const encoded = encodeSnapshot({ ...connection.snapshot, state }, surroundings.settings.maxState);
  const apart = encoded.state !== undefined;
  // Nothing is kept of a connection that has ended.
  if (connection.socket.save !== undefined && connection.phase !== "closed") {
    // Whichever of the two writes fails, the stored snapshot says where its state is. A row that no snapshot refers to does no harm.
    if (apart && rest.apart !== true) valuesOf(surroundings, connection).set(keyOf(connection), encoded.state);
    try {
      connection.socket.save(encoded.stored);
    } catch (error) {
      if (apart && rest.apart !== true) dropRow(surroundings, connection);
      throw error;
    }
    if (apart && rest.apart === true) valuesOf(surroundings, connection).set(keyOf(connection), encoded.state);
    if (!apart && rest.apart === true) dropRow(surroundings, connection);
  }
  const { url, protocol, remoteAddress } = rest;
  return { url, protocol, remoteAddress, state, apart };
}

/** The same with an unchanged state; if it is stored apart, it is not even read. */
export function keepRest<State, Env>(surroundings: Surroundings<State, Env>, connection: Stored, rest: Rest): Rest {
  if (rest.apart !== true) return keepState(surroundings, connection, rest, rest.state);
  const stored = encodeApart(connection.snapshot);
  connection.socket.save?.(stored);
  return rest;
}

/** The same for a closing connection. @throws what failed: the stored snapshot then at least says that it is closing, unless that fails too. */
export function keepClosing({ socket, snapshot }: Stored, rest: Rest): void {
  if (socket.save === undefined) return;
  try {
    socket.save(encodeClosing(snapshot, rest));
  } catch (error) {
    // A handler may have mutated its state so that it can't be stored. If the connection stayed stored as open, it would wake and end again.
    socket.save(encodeClosing({ ...snapshot, topics: [] }, { ...rest, state: undefined }));
    throw error;
  }
}

/** Reads the state if it is stored apart. @throws Error if the room no longer has it. */
export function withState<State, Env>(surroundings: Surroundings<State, Env>, connection: Stored, rest: Rest): Rest {
  if (rest.apart !== true || "state" in rest) return rest;
  const stored = valuesOf(surroundings, connection).get(keyOf(connection));
  if (stored === undefined)
    throw new Error(`the state of connection ${connection.id} is no longer in the storage of room "${connection.roomName}" [EW210]`);
  return { ...rest, state: decode(stored) };
}

/** The connection has ended. Its close hook may still ask for the state. Never throws. */
export function forgetState<State, Env>(
  surroundings: Surroundings<State, Env>,
  connection: Stored,
  rest: Rest,
  failed: (error: unknown) => void,
): Rest {
  if (connection.socket.save === undefined || rest.apart !== true) return rest;
  let last = rest;
  try {
    if (surroundings.hooks.close !== undefined) last = withState(surroundings, connection, rest);
  } catch {
    // The hook can perhaps read it later; if not, it gets the error. The row is deleted after the next one.
    deferDeletion(surroundings, connection);
    return rest;
  }
  dropRow(surroundings, connection, failed);
  return last;
}

/** If a row can't be deleted, it is deleted after the next one that can, or when the room's object is created again without connections. */
function dropRow<State, Env>(surroundings: Surroundings<State, Env>, connection: Stored, failed?: (error: unknown) => void): void {
  const pendingDeletions = deferDeletion(surroundings, connection);
  try {
    for (let drop = pendingDeletions[0]; drop !== undefined; drop = pendingDeletions[0]) {
      drop();
      pendingDeletions.shift();
    }
  } catch (error) {
    failed?.(error);
  }
}

/** Puts the connection's row first among those to delete. */
function deferDeletion<State, Env>(surroundings: Surroundings<State, Env>, connection: Stored): (() => void)[] {
  const { pendingDeletions } = surroundings.needRooms("state");
  const values = valuesOf(surroundings, connection);
  const key = keyOf(connection);
  pendingDeletions.unshift(() => void values.delete(key));
  if (pendingDeletions.length > maxPendingDeletions) pendingDeletions.pop();
  return pendingDeletions;
}

/** If the storage refuses for so long, no more rows are remembered. */
const maxPendingDeletions = 1000;

function valuesOf<State, Env>(surroundings: Surroundings<State, Env>, { roomName }: Stored): Store {
  return surroundings.needRooms("state").store(roomName);
}

function keyOf({ id }: Stored): string {
  return statePrefix + id;
}
