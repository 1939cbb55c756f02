/** A connection as it is stored. That outlives memory if the runtime hibernates, and follows the same rules everywhere else. */
import type { Connection, Phase } from "../api/connection.ts";
import type { ConnectionInfo } from "../api/room.ts";
import type { Counters } from "../handler/counters.ts";
import type { Socket } from "../ports.ts";
import { ClosingState } from "./closing.ts";
import { decodeRest, encodedBytes, fitsApart, fitsByLength } from "./snapshot.ts";
import type { Rest, Stateless } from "./snapshot.ts";
import { forgetState, keepClosing, keepRest, keepState, withState } from "./state.ts";
import type { Surroundings } from "./surroundings.ts";

export interface StoredConnection<State, Env> extends Connection<State, Env> {
  phase: Phase;
  readonly surroundings: Surroundings<State, Env>;
  readonly socket: Socket;
  readonly counters: Counters;
  readonly roomName: string;
  /** Encoded until it is needed: an object wakes ten thousand connections for a message to one. */
  rest: Rest | string;
  /** Its topics. Shared with other connections that woke with the same topics, until it subscribes or unsubscribes itself. */
  topicSet: ReadonlySet<string> | undefined;
  /** Their encoded size, once the set is its own. */
  topicBytes: number | undefined;
  closingState: ClosingState | undefined;
  expiresAt: number | undefined;
  /** Encoded: the member that it declared. */
  presence: string | undefined;
  /** Everything stored except its state. */
  readonly snapshot: Stateless;
}

export function closingStateOf<State, Env>(connection: StoredConnection<State, Env>): ClosingState {
  return (connection.closingState ??= new ClosingState());
}

export function restOf<State, Env>(connection: StoredConnection<State, Env>): Rest {
  return (connection.rest = decodeRest(connection.rest));
}

export function stateOf<State, Env>(connection: StoredConnection<State, Env>): Readonly<State> {
  const rest = withState(connection.surroundings, connection, restOf(connection));
  connection.rest = rest;
  return rest.state as State;
}

export function setState<State, Env>(connection: StoredConnection<State, Env>, state: State): void {
  connection.rest = keepState(connection.surroundings, connection, restOf(connection), state);
}

/** The connection as seen from outside. */
export function infoOf<State, Env>({
  id,
  url,
  protocol,
  remoteAddress,
  state,
  topics,
}: StoredConnection<State, Env>): ConnectionInfo<State> {
  return { id, url, protocol, remoteAddress, state, topics: [...topics] };
}

export function snapshotOf<State, Env>(connection: StoredConnection<State, Env>): Stateless {
  const { id, url, protocol, remoteAddress, closingState, expiresAt, presence } = connection;
  return {
    id,
    room: connection.roomName,
    url,
    protocol,
    remoteAddress,
    version: connection.surroundings.settings.version,
    topics: [...connection.topics],
    // A connection that never opened has nothing left to do: it is not woken.
    phase: closingState?.refused === true ? "closed" : connection.phase,
    ...(closingState?.closing === undefined ? {} : { closing: closingState.closing }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(presence === undefined ? {} : { presence }),
  };
}

/** @throws RangeError if the connection could not be stored with it. */
export function addTopic<State, Env>(connection: StoredConnection<State, Env>, topic: string): void {
  const topics = ownTopics(connection);
  topics.add(topic);
  connection.topicBytes = (connection.topicBytes ?? 0) + encodedBytes(topic);
  store(connection, () => dropTopic(connection, topics, topic));
}

export function removeTopic<State, Env>(connection: StoredConnection<State, Env>, topic: string): void {
  dropTopic(connection, ownTopics(connection), topic);
}

function dropTopic<State, Env>(connection: StoredConnection<State, Env>, topics: Set<string>, topic: string): void {
  topics.delete(topic);
  connection.topicBytes = (connection.topicBytes ?? 0) - encodedBytes(topic);
}

function ownTopics<State, Env>(connection: StoredConnection<State, Env>): Set<string> {
  if (connection.topicBytes !== undefined) return connection.topicSet as Set<string>;
  const topics = new Set(connection.topicSet);
  connection.topicSet = topics;
  connection.topicBytes = 0;
  for (const topic of topics) connection.topicBytes += encodedBytes(topic);
  return topics;
}

/** Stores the current values, or undoes the change. Even if nothing is stored, a change that could not be stored is refused. */
export function store<State, Env>(connection: StoredConnection<State, Env>, undo: () => void): void {
  try {
    if (connection.socket.save !== undefined || !surelyFits(connection))
      connection.rest = keepRest(connection.surroundings, connection, restOf(connection));
  } catch (error) {
    undo();
    throw error;
  }
}

/** Whether it could be stored. The state need not be encoded for that: it could be stored apart. */
function surelyFits<State, Env>(connection: StoredConnection<State, Env>): boolean {
  const { id, roomName, url, protocol, remoteAddress, presence = "", topicBytes } = connection;
  const length = id.length + roomName.length + url.length + protocol.length + remoteAddress.length + presence.length;
  return fitsByLength(length, topicBytes) || fitsApart(connection.snapshot);
}

/** Stores a closing connection. Never throws: it closes all the same. */
export function storeClosing<State, Env>(connection: StoredConnection<State, Env>): void {
  try {
    keepClosing(connection, restOf(connection));
  } catch (error) {
    unstored(connection, error);
  }
}

/** The connection has ended: keeps its state only for the close hook. Never throws. */
export function forgetStored<State, Env>(connection: StoredConnection<State, Env>): void {
  try {
    connection.rest = forgetState(connection.surroundings, connection, restOf(connection), (error) => unstored(connection, error));
  } catch (error) {
    unstored(connection, error);
  }
}

/** Reports in a later turn: now the connection is between two phases, where the `error` hook must not find it. */
function unstored<State, Env>(connection: StoredConnection<State, Env>, cause: unknown): void {
  const error = new Error(`the end of connection ${connection.id} can't be stored: ${String(cause)} [EW211]`, { cause });
  const { surroundings, counters } = connection;
  queueMicrotask(() => void surroundings.failed(error, { hook: "close", connection }, counters));
}
