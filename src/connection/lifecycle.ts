/** How a connection opens and ends. Whatever fails on the way, it is in one phase, and its close hook runs once. */
import type { Closing, MaybePromise } from "../api/connection.ts";
import { CloseCode, closingFromPeer } from "../protocol/close.ts";
import { toTime } from "../time/time.ts";
import { needStack } from "../values/stack.ts";
import { credentialExpired } from "./closing.ts";
import { post } from "./hooks.ts";
import { leave, tell } from "./membership.ts";
import { hasExpired } from "./receiving.ts";
import type { ReceivingConnection } from "./receiving.ts";
import { discard, flush } from "./sending.ts";
import { closingStateOf, forgetStored, store, storeClosing } from "./stored.ts";

export interface EndingConnection<State, Env> extends ReceivingConnection<State, Env> {
  readonly running: Promise<void> | undefined;
  readonly finished: Promise<void>;
}

/** The socket is open: runs the `open` hook. */
export function opened<State, Env>(connection: EndingConnection<State, Env>): MaybePromise<void> {
  connection.counters.opened();
  const { hooks, registry, settings } = connection.surroundings;
  settings.observe?.opened?.(connection);
  if (hooks.open === undefined && registry?.opening(connection.roomName) === undefined) return;
  const running = post(connection, "open", undefined);
  // Nothing waits: an idle connection need not keep a mailbox.
  if (connection.mailbox?.busy === false) connection.mailbox = undefined;
  return running;
}

/** It came back from an eviction: runs the `wake` hook, before any other. */
export function woke<State, Env>(connection: EndingConnection<State, Env>): MaybePromise<void> {
  if (connection.phase !== "open" || connection.surroundings.hooks.wake === undefined) return;
  const running = post(connection, "wake", undefined);
  if (connection.mailbox?.busy === false) connection.mailbox = undefined;
  return running;
}

/** Starts watching `expiresAt`: the connection has opened, woken or been renewed. */
export function watchExpiry<State, Env>(connection: EndingConnection<State, Env>): void {
  if (connection.phase !== "open") return;
  const { expiry } = connection.surroundings;
  if (connection.expiresAt === undefined) expiry.delete(connection);
  else expiry.add(connection);
}

export function renew<State, Env>(connection: EndingConnection<State, Env>, expiresAt: Date | number | null): void {
  const before = connection.expiresAt;
  connection.expiresAt = expiresAt === null ? undefined : toTime("renew", expiresAt);
  if (connection.phase !== "open") return;
  store(connection, () => (connection.expiresAt = before));
  if (hasExpired(connection)) connection.end(CloseCode.unauthorized, credentialExpired);
  else watchExpiry(connection);
}

/** The server closes the connection: discards waiting messages, tells the client, and gives it `closeTimeout` to answer. */
export function end<State, Env>(connection: EndingConnection<State, Env>, code: number, reason: string): void {
  if (connection.phase !== "open") return;
  needStack();
  // First, so that the connection ends in time even if the rest fails.
  waitForPeer(connection);
  connection.phase = "closing";
  closingStateOf(connection).closing = { code, reason, initiator: "server" };
  repeatIfFailed(connection, () => beginEnd(connection, code, reason));
}

/** Finishes the core's own work before it informs the application. */
function beginEnd<State, Env>(connection: EndingConnection<State, Env>, code: number, reason: string): void {
  const { surroundings } = connection;
  const diff = leave(connection);
  surroundings.closes(connection);
  if (connection.expiresAt !== undefined) surroundings.expiry.delete(connection);
  connection.mailbox?.keepOnly("close");
  connection.receiveQueue?.clear();
  flush(connection);
  // Before the native close: an object evicted in between must know that the connection closed, and how.
  storeClosing(connection);
  connection.socket.close(code, reason);
  tell(connection, diff);
  abort(connection);
}

/** A failure, for lack of stack for example, must not leave a connection half ended. `part` can be repeated, and then runs again. */
function repeatIfFailed<State, Env>(connection: EndingConnection<State, Env>, part: () => void): void {
  try {
    part();
  } catch (error) {
    connection.surroundings.clock.setTimeout(part, 0);
    void connection.surroundings.failed(error, { hook: "close", connection }, connection.counters);
  }
}

function abort<State, Env>(connection: EndingConnection<State, Env>): void {
  const controller = connection.closingState?.controller;
  if (controller !== undefined) afterwards(connection, () => controller.abort());
}

/** Runs the application's code, never inside a publish. */
function afterwards<State, Env>({ surroundings }: EndingConnection<State, Env>, run: () => void): void {
  if (surroundings.registry === undefined) run();
  else surroundings.registry.afterwards(run);
}

function waitForPeer<State, Env>(connection: EndingConnection<State, Env>): void {
  const { clock, settings } = connection.surroundings;
  closingStateOf(connection).timer = clock.setTimeout(() => release(connection), settings.closeTimeout);
}

/** Restored from the snapshot of a closing connection: the client gets its time to answer once more. */
export function resumeClosing<State, Env>(connection: EndingConnection<State, Env>): void {
  if (connection.phase === "closing") waitForPeer(connection);
}

/** Stops waiting for the client. */
export function release<State, Env>(connection: EndingConnection<State, Env>): void {
  if (connection.phase === "closed") return;
  void finish(connection, connection.closingState?.closing ?? closingFromPeer(CloseCode.abnormal, ""));
  connection.socket.terminate();
}

export function terminate<State, Env>(connection: EndingConnection<State, Env>): void {
  if (connection.phase === "closed") return;
  needStack();
  void finish(connection, { code: CloseCode.abnormal, reason: "", initiator: "server" });
  connection.socket.terminate();
}

/** The client gave no sign of life in time. */
export function vanished<State, Env>(connection: EndingConnection<State, Env>): MaybePromise<void> {
  if (connection.phase === "closed") return;
  const running = finish(connection, { code: CloseCode.abnormal, reason: "", initiator: "network" });
  connection.socket.terminate();
  return running;
}

/** The server shuts down: the connection accepts no more messages, runs the queued hooks and closes. Settles when the close hook has run. */
export async function retire<State, Env>(connection: EndingConnection<State, Env>, code: number, reason: string): Promise<void> {
  connection.retired = true;
  if (connection.running !== undefined) await connection.running;
  if (connection.phase === "open" && connection.socket.reader?.handOver(code, reason) === true) return depart(connection);
  connection.end(code, reason);
  await connection.finished;
}

/** The connection leaves this memory, and goes on in another: nothing of it ends. */
export function depart<State, Env>(connection: EndingConnection<State, Env>): void {
  const { surroundings } = connection;
  const state = closingStateOf(connection);
  connection.phase = "closed";
  surroundings.registry?.leave(connection);
  if (connection.expiresAt !== undefined) surroundings.expiry.delete(connection);
  discard(connection);
  surroundings.forget(connection);
  abort(connection);
  state.finished?.resolve();
}

/** The native socket is closed. Runs the `close` hook, once. */
export function ended<State, Env>(connection: EndingConnection<State, Env>, code: number, reason: string): MaybePromise<void> {
  if (connection.phase === "closed") return socketGone(connection);
  return finish(connection, connection.closingState?.closing ?? closingFromPeer(code, reason), true);
}

/** @param closed whether the socket is closed: otherwise it may wake again, and its snapshot must say that the connection has ended. */
function finish<State, Env>(connection: EndingConnection<State, Env>, closing: Closing, closed = false): Promise<void> | undefined {
  if (connection.phase === "closed") return;
  const state = closingStateOf(connection);
  // Before the presence hook runs: whatever it sends to this connection goes nowhere.
  connection.phase = "closed";
  state.closing = closing;
  repeatIfFailed(connection, () => finishEnd(connection, closing, closed));
  return state.over;
}

function finishEnd<State, Env>(connection: EndingConnection<State, Env>, closing: Closing, closed: boolean): void {
  const state = closingStateOf(connection);
  const { surroundings, counters } = connection;
  const diff = leave(connection);
  if (connection.expiresAt !== undefined) surroundings.expiry.delete(connection);
  if (state.timer !== undefined) surroundings.clock.clearTimeout(state.timer);
  discard(connection);
  if (!closed) storeClosing(connection);
  forgetStored(connection);
  if (!state.counted) {
    state.counted = true;
    surroundings.forget(connection);
    if (!closed && connection.socket.lingers === true) linger(connection);
    counters.closed(closing.code);
    surroundings.settings.observe?.closed?.(connection, closing);
  }
  tell(connection, diff);
  abort(connection);
  let later: ((over: Promise<void> | undefined) => void) | undefined;
  afterwards(connection, () => {
    state.over = runCloseHook(connection, closing);
    state.finished?.resolve(state.over);
    later?.(state.over);
  });
  if (!state.hooked) state.over = new Promise((resolve) => (later = resolve));
}

/** Settles when the close hook, and the room's `empty` hook, have run. */
function runCloseHook<State, Env>(connection: EndingConnection<State, Env>, closing: Closing): Promise<void> | undefined {
  const state = closingStateOf(connection);
  if (state.hooked) return state.over;
  state.hooked = true;
  const { hooks, registry } = connection.surroundings;
  const pending = connection.mailbox === undefined && hooks.close === undefined ? undefined : post(connection, "close", closing);
  return registry === undefined ? pending : registry.left(connection.roomName, pending);
}

/** The connection has ended, but its client keeps the socket: it counts as lingering. */
function linger<State, Env>(connection: EndingConnection<State, Env>): void {
  closingStateOf(connection).lingers = true;
  connection.surroundings.registry?.linger(connection);
}

/** The socket is gone as well. */
function socketGone<State, Env>(connection: EndingConnection<State, Env>): void {
  if (connection.closingState?.lingers !== true) return;
  connection.closingState.lingers = false;
  connection.surroundings.registry?.gone(connection);
}
