/** What a connection sends: at once, or by `slowConsumer` where its client does not read what it was sent. */
import type { MaybePromise, Sendable, SendResult } from "../api/connection.ts";
import type { Prepared } from "../ports.ts";
import { CloseCode } from "../protocol/close.ts";
import { lengthOf, mostOnWire, sizeAtMost } from "../values/data.ts";
import { Coalescing } from "./coalescing.ts";
import type { StoredConnection } from "./stored.ts";

export interface SendingConnection<State, Env> extends StoredConnection<State, Env> {
  /**
   * No more bytes than this wait for the client: what waited when the runtime was last asked, and what was sent since. Of what a fan-out
   * has sent, all since the last time may have been for it: that is `published` now, less what it was then, which is taken off here.
   */
  waiting: number;
  /** `highWaterMark` bytes waited after a send: the adapter will tell when they don't. */
  backpressured: boolean;
  coalescing: Coalescing | undefined;
  /** Who waits for the client to read. */
  relief: PromiseWithResolvers<void> | undefined;
  /** Starts to close. */
  end(code: number, reason: string): void;
  /** Less waits for the client: the `drain` hook's turn. */
  emptied(): MaybePromise<void>;
}

/** Sends data that is known to be sendable: a publish, to `topic`, checks once for all its subscribers. */
export function push<State, Env>(
  connection: SendingConnection<State, Env>,
  data: Sendable | Prepared,
  topic?: string | readonly string[],
): SendResult {
  if (connection.phase !== "open") return "closed";
  const { surroundings } = connection;
  // To ask a runtime costs more than all else here (a native call; Deno and Bun, bench/): not while no answer could change anything.
  if ((connection.waiting += mostOnWire(data)) + (surroundings.fanout?.published ?? 0) < surroundings.settings.highWaterMark)
    return hand(connection, data);
  return pushMeasured(connection, data, topic);
}

function pushMeasured<State, Env>(
  connection: SendingConnection<State, Env>,
  data: Sendable | Prepared,
  topic: string | readonly string[] | undefined,
): SendResult {
  const { settings, fanout } = connection.surroundings;
  // What is queued for it counts where it could matter.
  if (fanout !== undefined && bufferedBy(connection) + fanout.queued + sizeAtMost(data) > settings.maxBuffered) fanout.settle(connection);
  const before = bufferedBy(connection);
  // Until it is asked again.
  connection.waiting = settings.highWaterMark;
  if (connection.backpressured && topic !== undefined && settings.slowConsumer === "coalesce")
    return coalesce(connection, topic, data, before);
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
  if (result !== "closed") {
    const size = lengthOf(data);
    connection.counters.sent(size);
    connection.surroundings.settings.observe?.sent?.(connection, size);
  }
  return result;
}

/** Asks the runtime what waits: whether that is `highWaterMark` or more. */
export function measure<State, Env>(connection: SendingConnection<State, Env>): boolean {
  const { settings, fanout } = connection.surroundings;
  const waiting = bufferedBy(connection);
  if (waiting < settings.highWaterMark) {
    connection.waiting = waiting - (fanout?.published ?? 0);
    return false;
  }
  connection.waiting = settings.highWaterMark;
  connection.backpressured = true;
  fanout?.part(connection);
  connection.socket.watch?.();
  return true;
}

/** Bytes that wait in the socket. */
export function bufferedBy<State, Env>({ socket }: SendingConnection<State, Env>): number {
  return socket.buffered ?? 0;
}

/** Bytes that wait for the client. */
export function bufferedAmount<State, Env>(connection: SendingConnection<State, Env>): number {
  const { fanout } = connection.surroundings;
  if (fanout !== undefined && fanout.queued > 0) fanout.settle(connection);
  return bufferedBy(connection);
}

/** Bytes that the client may leave unread beyond those that wait for it already. */
export function unreadLeft<State, Env>(connection: SendingConnection<State, Env>): number {
  const { maxBuffered } = connection.surroundings.settings;
  return Math.max(0, maxBuffered - bufferedAmount(connection) - (connection.coalescing?.bytes ?? 0));
}

export function drained<State, Env>(connection: SendingConnection<State, Env>): Promise<void> {
  if (!connection.backpressured || connection.phase !== "open") return Promise.resolve();
  return (connection.relief ??= Promise.withResolvers()).promise;
}

/** Less waits for this client than before. */
export function eased<State, Env>(connection: SendingConnection<State, Env>): MaybePromise<void> {
  if (connection.phase !== "open") return;
  const { fanout, settings } = connection.surroundings;
  if (!connection.backpressured) return fanout?.eased(connection);
  if (bufferedBy(connection) >= settings.highWaterMark) return;
  connection.backpressured = false;
  connection.coalescing?.flush((data) => handMeasured(connection, data) === "sent");
  // What was kept may have filled it again.
  if (isBackpressured(connection)) return;
  fanout?.eased(connection);
  relieve(connection);
  return connection.emptied();
}

function isBackpressured<State, Env>({ backpressured }: SendingConnection<State, Env>): boolean {
  return backpressured;
}

/** Keeps a published message until the client has read what it was sent, or until a newer one replaces it. */
function coalesce<State, Env>(
  connection: SendingConnection<State, Env>,
  topic: string | readonly string[],
  data: Sendable | Prepared,
  before: number,
): SendResult {
  const coalescing = (connection.coalescing ??= new Coalescing());
  coalescing.keep(typeof topic === "string" ? topic : (topic.find((one) => connection.topics.has(one)) ?? ""), data);
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

/** Whoever waits for the client to read need not any longer. */
function relieve<State, Env>(connection: SendingConnection<State, Env>): void {
  connection.relief?.resolve();
  connection.relief = undefined;
}

/** Our side closes: what was kept for a slow consumer goes first. */
export function flush<State, Env>(connection: SendingConnection<State, Env>): void {
  connection.coalescing?.flush((data) => hand(connection, data) !== "closed");
  relieve(connection);
}

/** It is over: what was kept goes nowhere. */
export function discard<State, Env>(connection: SendingConnection<State, Env>): void {
  connection.coalescing = undefined;
  relieve(connection);
}
