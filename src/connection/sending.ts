/** What a connection sends: at once, or according to `slowConsumer` if its client does not read. */
import type { MaybePromise, Sendable, SendResult } from "../api/connection.ts";
import type { LogReader, Prepared } from "../ports.ts";
import { CloseCode } from "../protocol/close.ts";
import { lengthOf, mostOnWire, sizeAtMost } from "../values/data.ts";
import type { Resolvers } from "../values/promise.ts";
import { Coalescing } from "./coalescing.ts";
import type { StoredConnection } from "./stored.ts";

export interface SendingConnection<State, Env> extends StoredConnection<State, Env> {
  /**
   * Upper bound of the bytes waiting for the client: what waited when the runtime was last asked, plus what was sent since. Everything that a
   * fan-out sent since then may have been for it. That is `published` now minus `published` then; the latter is already subtracted here.
   */
  waiting: number;
  /** `highWaterMark` bytes waited after a send: the adapter reports when they no longer do. */
  backpressured: boolean;
  coalescing: Coalescing | undefined;
  /** The callers of `drained` that wait for the client to read. */
  drainWaiter: Resolvers<void> | undefined;
  /** Starts to close. */
  end(code: number, reason: string): void;
  /** Fewer bytes wait for the client: runs the `drain` hook. */
  emptied(): MaybePromise<void>;
}

/** Sends data that was already checked: a publish to `topic`, maybe with a `key`, checks once for all its subscribers. */
export function push<State, Env>(
  connection: SendingConnection<State, Env>,
  data: Sendable | Prepared,
  topic?: string | readonly string[],
  key?: string,
): SendResult {
  if (connection.phase !== "open") return "closed";
  const { surroundings } = connection;
  // Asking the runtime costs more than all the rest here (a native call; Deno and Bun, bench/), so only when the answer could matter.
  if ((connection.waiting += mostOnWire(data)) + (surroundings.fanout?.published ?? 0) < surroundings.settings.highWaterMark)
    return hand(connection, data);
  return pushMeasured(connection, data, topic, key);
}

function pushMeasured<State, Env>(
  connection: SendingConnection<State, Env>,
  data: Sendable | Prepared,
  topic: string | readonly string[] | undefined,
  key: string | undefined,
): SendResult {
  const { settings, fanout } = connection.surroundings;
  // Settles what the fan-out has queued for it only where that could matter.
  if (fanout !== undefined && bufferedBy(connection) + fanout.queued + sizeAtMost(data) > settings.maxBuffered) fanout.settle(connection);
  const before = bufferedBy(connection);
  // Until the next measurement.
  connection.waiting = settings.highWaterMark;
  if (connection.backpressured && topic !== undefined && settings.slowConsumer === "coalesce")
    return coalesce(connection, topic, key, data, before);
  if (before > 0 && before + sizeAtMost(data) > settings.maxBuffered) {
    if (settings.slowConsumer !== "drop") giveUp(connection);
    dropped(connection, "sent", data);
    return "dropped";
  }
  return handMeasured(connection, data);
}

function handMeasured<State, Env>(connection: SendingConnection<State, Env>, data: Sendable | Prepared): SendResult {
  const result = hand(connection, data);
  return result === "sent" && measure(connection) ? "backpressure" : result;
}

function hand<State, Env>(connection: SendingConnection<State, Env>, data: Sendable | Prepared): SendResult {
  const result = connection.socket.send(data);
  if (result === "sent") {
    const size = lengthOf(data);
    connection.counters.sent(size);
    connection.surroundings.settings.observe?.sent?.(connection, size);
  }
  return result;
}

/** Sends data that no log keeps to a client with delivery, if it is there and reads. */
export function sendOnce<State, Env>(connection: SendingConnection<State, Env>, reader: LogReader, data: Sendable): SendResult {
  if (connection.phase !== "open") return "closed";
  if (reader.sendOnce({ entries: [], payload: data, except: undefined })) return "sent";
  dropped(connection, "sent", data);
  return "dropped";
}

/** Asks the runtime how much is waiting. Returns whether that is `highWaterMark` or more. */
export function measure<State, Env>(connection: SendingConnection<State, Env>): boolean {
  const { settings, fanout } = connection.surroundings;
  const waiting = bufferedBy(connection);
  if (waiting < settings.highWaterMark) {
    connection.waiting = waiting - (fanout?.published ?? 0);
    return false;
  }
  connection.waiting = settings.highWaterMark;
  connection.backpressured = true;
  fanout?.leave(connection);
  connection.socket.watch?.();
  return true;
}

/** Bytes waiting in the socket. */
export function bufferedBy<State, Env>({ socket }: SendingConnection<State, Env>): number {
  return socket.buffered ?? 0;
}

/** Bytes waiting for the client. */
export function bufferedAmount<State, Env>(connection: SendingConnection<State, Env>): number {
  const { fanout } = connection.surroundings;
  if (fanout !== undefined && fanout.queued > 0) fanout.settle(connection);
  return bufferedBy(connection);
}

/** Bytes that the client may leave unread in addition to those already waiting. */
export function unreadLeft<State, Env>(connection: SendingConnection<State, Env>): number {
  const { maxBuffered } = connection.surroundings.settings;
  return Math.max(0, maxBuffered - bufferedAmount(connection) - (connection.coalescing?.bytes ?? 0));
}

export function drained<State, Env>(connection: SendingConnection<State, Env>): Promise<void> {
  if (!connection.backpressured || connection.phase !== "open") return Promise.resolve();
  return (connection.drainWaiter ??= Promise.withResolvers()).promise;
}

/** Fewer bytes wait for this client than before. */
export function eased<State, Env>(connection: SendingConnection<State, Env>): MaybePromise<void> {
  if (connection.phase !== "open") return;
  const { fanout, settings } = connection.surroundings;
  if (!connection.backpressured) return fanout?.eased(connection);
  if (bufferedBy(connection) >= settings.highWaterMark) return;
  connection.backpressured = false;
  connection.coalescing?.flush((data) => handMeasured(connection, data) === "sent");
  // The coalesced messages may have filled it again.
  if (isBackpressured(connection)) return;
  fanout?.eased(connection);
  resolveDrained(connection);
  return connection.emptied();
}

function isBackpressured<State, Env>({ backpressured }: SendingConnection<State, Env>): boolean {
  return backpressured;
}

/** Keeps a published message until the client has read, or a newer message replaces it. */
function coalesce<State, Env>(
  connection: SendingConnection<State, Env>,
  topic: string | readonly string[],
  key: string | undefined,
  data: Sendable | Prepared,
  before: number,
): SendResult {
  const coalescing = (connection.coalescing ??= new Coalescing());
  coalescing.keep(typeof topic === "string" ? topic : (topic.find((one) => connection.topics.has(one)) ?? ""), key, data);
  if (before + coalescing.bytes <= connection.surroundings.settings.maxBuffered) return "backpressure";
  giveUp(connection);
  dropped(connection, "sent", data);
  return "dropped";
}

function giveUp<State, Env>(connection: SendingConnection<State, Env>): void {
  connection.coalescing = undefined;
  connection.end(CloseCode.tryAgainLater, "Slow consumer");
}

export function dropped<State, Env>(
  connection: SendingConnection<State, Env>,
  direction: "received" | "sent",
  data: Sendable | Prepared,
): void {
  connection.counters.dropped(direction);
  connection.surroundings.settings.observe?.dropped?.(connection, direction, lengthOf(data));
}

/** Resolves the promise of those who wait for the client to read. */
function resolveDrained<State, Env>(connection: SendingConnection<State, Env>): void {
  connection.drainWaiter?.resolve();
  connection.drainWaiter = undefined;
}

/** The server closes the connection: sends first what was kept for a slow consumer. */
export function flush<State, Env>(connection: SendingConnection<State, Env>): void {
  connection.coalescing?.flush((data) => hand(connection, data) !== "closed");
  resolveDrained(connection);
}

/** The connection has ended: discards what was kept. */
export function discard<State, Env>(connection: SendingConnection<State, Env>): void {
  connection.coalescing = undefined;
  resolveDrained(connection);
}
