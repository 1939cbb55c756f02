/** What a connection receives: checks limits, answers text pings, and passes messages to their hook. */
import type { Connection, Data, MaybePromise } from "../api/connection.ts";
import { overRate, Rate } from "./rate.ts";
import type { RateRule } from "../handler/rate-rule.ts";
import { CloseCode } from "../protocol/close.ts";
import { isPing, pongText } from "../protocol/text-ping.ts";
import { answeringOf } from "../values/answering.ts";
import { sizeAtMost } from "../values/data.ts";
import { quoted, warn } from "../values/log.ts";
import { credentialExpired } from "./closing.ts";
import { post } from "./hooks.ts";
import type { Delivered, HookedConnection } from "./hooks.ts";
import { Liveness } from "./liveness.ts";
import type { Excess } from "./rate.ts";
import { ReceiveQueue } from "./receive-queue.ts";
import { bufferedBy, dropped } from "./sending.ts";

export interface ReceivingConnection<State, Env> extends HookedConnection<State, Env> {
  livenessState: Liveness | undefined;
  rate: Rate | undefined;
  /** The server is shutting down: messages read from now on are not delivered. */
  retired: boolean;
  /** The client broke a rule: the connection closes. */
  violated(code: number, reason?: string): MaybePromise<void>;
}

/** Created on first use: an object may wake ten thousand connections for a message of one, and not every runtime checks idle ones. */
export function livenessOf<State, Env>(connection: ReceivingConnection<State, Env>): Liveness {
  return (connection.livenessState ??= new Liveness());
}

/** A message arrived. @param delivered the same, of a client with delivery. */
export function receive<State, Env>(
  connection: ReceivingConnection<State, Env>,
  data: Data,
  delivered: Delivered | undefined,
): MaybePromise<void> {
  if (connection.phase !== "open") return;
  livenessOf(connection).heard = true;
  const { surroundings } = connection;
  const { settings } = surroundings;
  const ping = isPing(data) && settings.heartbeat !== false;
  // The hook that the shutdown waits for may itself wait for an answer.
  if (connection.retired && !ping) return void takeAnswer(connection, data, delivered);
  // The alarm may be late, because of an eviction or by up to a second.
  if (connection.expiresAt !== undefined && !ping && hasExpired(connection))
    return connection.violated(CloseCode.unauthorized, credentialExpired);
  const size = typeof data === "string" ? sizeAtMost(data, settings.maxPayload) : data.byteLength;
  if (size > settings.maxPayload && !ping) return connection.violated(CloseCode.messageTooBig);
  const { rate } = settings;
  if (rate !== undefined) {
    const bucket = (connection.rate ??= new Rate(rate, surroundings.clock));
    const excess = bucket.admit(size);
    if (excess !== undefined) {
      if (rate.over === "close") return exceeds(connection, excess, rate);
      dropped(connection, "received", data);
      delivered?.done();
      return bucket.drop(size) ? post(connection, "drop", bucket) : undefined;
    }
  }
  if (ping) return pong(connection);
  if (connection.mailbox?.busy === true && !mayWait(connection, data, delivered)) return connection.mailbox.running;
  connection.counters.received(data.length);
  settings.observe?.received?.(connection, data.length);
  return delivered === undefined ? post(connection, "message", data) : post(connection, "delivered", delivered);
}

/** A hook runs. Returns false if the message does not wait for it: it is an answer, or too much waits, and the connection closes. */
function mayWait<State, Env>(connection: ReceivingConnection<State, Env>, data: Data, delivered: Delivered | undefined): boolean {
  if (takeAnswer(connection, data, delivered)) return false;
  const { hooks, settings } = connection.surroundings;
  const owes = answeringOf<Connection<State, Env>>(hooks)?.owes(connection) === true;
  if ((connection.receiveQueue ??= new ReceiveQueue(connection.socket, settings)).admit(data, owes)) return true;
  void connection.violated(CloseCode.tryAgainLater, "Too many messages queued");
  return false;
}

/** While a hook runs, an answer to what the handler has asked does not wait for it. Returns whether the message was one. */
function takeAnswer<State, Env>(connection: ReceivingConnection<State, Env>, data: Data, delivered: Delivered | undefined): boolean {
  const { hooks, settings } = connection.surroundings;
  const answering = answeringOf<Connection<State, Env>>(hooks);
  if (answering?.owes(connection) !== true || !answering.take(connection, data)) return false;
  delivered?.done();
  connection.counters.received(data.length);
  settings.observe?.received?.(connection, data.length);
  return true;
}

/** The handler asks the client, and waits for an answer: reads on, although more may wait than else. */
export function readOn<State, Env>({ receiveQueue }: ReceivingConnection<State, Env>): void {
  receiveQueue?.readOn();
}

function exceeds<State, Env>(connection: ReceivingConnection<State, Env>, excess: Excess, rate: RateRule): MaybePromise<void> {
  const from = connection.remoteAddress === "" ? "" : ` from ${connection.remoteAddress}`;
  warn("1008", `1008: a connection${from} in room ${quoted(connection.roomName)} ${overRate(excess, rate)} [EW207]`);
  return connection.violated(CloseCode.policyViolation, `Too many ${excess}`);
}

/** Answers at once, whatever hook is running, unless more waits than the client may leave unread: a healthy client reads its pongs. */
function pong<State, Env>(connection: ReceivingConnection<State, Env>): void {
  const { settings, heartbeat } = connection.surroundings;
  const { socket } = connection;
  if (socket.reader !== undefined) socket.reader.pong();
  else if (bufferedBy(connection) < settings.maxBuffered) socket.send(pongText);
  heartbeat?.pinged(connection);
}

export function hasExpired<State, Env>({ expiresAt, surroundings }: ReceivingConnection<State, Env>): boolean {
  return expiresAt !== undefined && expiresAt <= surroundings.clock.now();
}
