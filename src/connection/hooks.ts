/** Runs a connection's hooks, one at a time, and handles their failures. */
import type { Closing, Data, MaybePromise, MessageInfo } from "../api/connection.ts";
import { observed } from "../handler/observe.ts";
import { CloseCode } from "../protocol/close.ts";
import { checkPromise, isPromise } from "../values/promise.ts";
import { Mailbox } from "./mailbox.ts";
import type { Owner } from "./mailbox.ts";
import type { Rate } from "./rate.ts";
import type { ReceiveQueue } from "./receive-queue.ts";
import type { SendingConnection } from "./sending.ts";
import { closingStateOf } from "./stored.ts";

export type ConnectionHook = "open" | "wake" | "message" | "drop" | "drain" | "close";

/** A message of a client with delivery. */
export interface Delivered {
  readonly data: Data;
  /** Calls its hook, and notes when that has ended, well or not. */
  give(call: (data: Data, info: MessageInfo) => MaybePromise<void>): MaybePromise<void>;
  /** It needs no hook. Must not throw. */
  done(): void;
}

/** What a mailbox holds: the hooks, and messages of clients with delivery apart. */
export type Posted = ConnectionHook | "delivered";

export interface HookedConnection<State, Env> extends SendingConnection<State, Env>, Owner<Posted> {
  /** Created on the first event. */
  mailbox: Mailbox<Posted> | undefined;
  /** Limits what waits for a slow hook. */
  receiveQueue: ReceiveQueue | undefined;
}

/** Runs the hook now, or after earlier ones. The promise, if any, settles when the mailbox is empty. */
export function post<State, Env>(connection: HookedConnection<State, Env>, kind: Posted, payload: unknown): Promise<void> | undefined {
  return (connection.mailbox ??= new Mailbox(connection)).post(kind, payload);
}

/** Never throws or rejects. */
export function run<State, Env>(connection: HookedConnection<State, Env>, kind: Posted, payload: unknown): MaybePromise<void> {
  const hook = kind === "delivered" ? "message" : kind;
  if (hook === "message") connection.receiveQueue?.release(kind === "delivered" ? (payload as Delivered).data : (payload as Data));
  const { hooks, settings } = connection.surroundings;
  const { observe } = settings;
  try {
    const pending =
      observe?.hook === undefined || hooks[hook] === undefined
        ? call(connection, kind, payload)
        : observed(observe, () => call(connection, kind, payload), { hook, connection });
    if (isPromise(pending)) return pending.then(undefined, (error: unknown) => failed(connection, hook, error));
  } catch (error) {
    return failed(connection, hook, error);
  }
}

function call<State, Env>(connection: HookedConnection<State, Env>, kind: Posted, payload: unknown): MaybePromise<void> {
  const { hooks } = connection.surroundings;
  switch (kind) {
    case "message":
      return hooks.message?.(connection, payload as Data);
    case "delivered":
      return (payload as Delivered).give((data, info) => hooks.message?.(connection, data, info));
    case "open":
      return open(connection);
    case "wake":
      return hooks.wake?.(connection);
    case "drop": {
      const { droppedMessages: messages, droppedBytes: bytes } = payload as Rate;
      return hooks.drop?.(connection, { messages, bytes });
    }
    case "drain":
      return hooks.drain?.(connection);
    case "close":
      return connection.closingState?.refused === true ? undefined : hooks.close?.(connection, payload as Closing);
  }
}

/** Waits until the room is open. If that fails, the connection never opens and none of its hooks runs. */
function open<State, Env>(connection: HookedConnection<State, Env>): MaybePromise<void> {
  const { hooks, registry } = connection.surroundings;
  const opening = registry?.opening(connection.roomName);
  if (opening === undefined) return hooks.open?.(connection);
  return opening.then((opened) => {
    if (opened) return hooks.open?.(connection);
    closingStateOf(connection).refused = true;
    connection.end(CloseCode.internalError, "Internal error");
  });
}

function failed<State, Env>(connection: HookedConnection<State, Env>, hook: ConnectionHook, error: unknown): MaybePromise<void> {
  if (isAborted(connection, error)) return;
  connection.end(CloseCode.internalError, "Internal error");
  return connection.surroundings.failed(error, { hook, connection }, connection.counters);
}

/** Whether the work was given up because the connection has ended. */
function isAborted<State, Env>({ closingState }: HookedConnection<State, Env>, error: unknown): boolean {
  const signal = closingState?.controller?.signal;
  return signal?.aborted === true && error === signal.reason;
}

/** No hook waits for the promise, and if it rejects, the connection goes on. @throws TypeError if it is not a promise. */
export function waitUntil<State, Env>(connection: HookedConnection<State, Env>, promise: PromiseLike<unknown>): void {
  checkPromise("waitUntil", promise);
  const { surroundings } = connection;
  surroundings.waitUntil(promise, (error) =>
    isAborted(connection, error) ? undefined : surroundings.failed(error, { hook: "waitUntil", connection }, connection.counters),
  );
}

/** What is waiting for the pending hook, as a part of a log line; undefined if nothing is. */
export function waitsFor<State, Env>({ mailbox, phase }: HookedConnection<State, Env>): string | undefined {
  const waiting = mailbox?.waiting ?? 0;
  if (waiting === 0) return undefined;
  return phase === "closed"
    ? "its client has left: the close hook waits for it"
    : `${waiting} ${waiting === 1 ? "event waits" : "events wait"} for it`;
}
