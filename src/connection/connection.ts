/**
 * One connection: what a handler holds, and what an adapter reports of its socket. The class declares the fields and delegates to the modules;
 * each module owns one side of it. A single object, since one object per side would add a memory read to every message, and at least 16 bytes
 * to every connection.
 */
import type { Connection as ConnectionContract, Data, MaybePromise, Phase, Sendable, SendOptions, SendResult } from "../api/connection.ts";
import type { Replay } from "../api/history.ts";
import type { ConnectionInfo, LocalRoom, PublishOptions, Rooms } from "../api/room.ts";
import type { Counters } from "../handler/counters.ts";
import type { Internals } from "../handler/internals.ts";
import type { Prepared, Socket, SocketListener } from "../ports.ts";
import { CloseCode, checkClose } from "../protocol/close.ts";
import { answeringOf } from "../values/answering.ts";
import type { Answering } from "../values/answering.ts";
import { checkData } from "../values/data.ts";
import type { Resolvers } from "../values/promise.ts";
import type { ClosingState } from "./closing.ts";
import type { Coalescing } from "./coalescing.ts";
import { post, run, waitsFor, waitUntil } from "./hooks.ts";
import type { Delivered, Posted } from "./hooks.ts";
import * as lifecycle from "./lifecycle.ts";
import type { EndingConnection } from "./lifecycle.ts";
import type { Liveness } from "./liveness.ts";
import type { Mailbox } from "./mailbox.ts";
import * as membership from "./membership.ts";
import type { PendingHook, Waiting } from "./pending-hooks.ts";
import type { Rate } from "./rate.ts";
import type { ReceiveQueue } from "./receive-queue.ts";
import { livenessOf, readOn, receive } from "./receiving.ts";
import * as sending from "./sending.ts";
import type { Rest, Stateless, Restored } from "./snapshot.ts";
import { closingStateOf, infoOf, restOf, setState, snapshotOf, stateOf } from "./stored.ts";
import type { SubscribeOptions, Surroundings } from "./surroundings.ts";

export class Connection<State = unknown, Env = unknown>
  implements ConnectionContract<State, Env>, EndingConnection<State, Env>, SocketListener, Waiting, Internals
{
  // Fields of every message come first, in one cache line: a fan-out loads a new one for each subscriber.
  phase: Phase;
  waiting = 0;
  // Private, so that a logged or spread connection shows neither the environment nor other clients.
  readonly #surroundings: Surroundings<State, Env>;
  readonly #socket: Socket;
  readonly counters: Counters;
  readonly id: string;
  readonly roomName: string;
  rest: Rest | string;
  topicSet: ReadonlySet<string> | undefined;
  topicBytes: number | undefined;
  closingState: ClosingState | undefined;
  expiresAt: number | undefined;
  presence: string | undefined;
  backpressured = false;
  retired = false;
  coalescing: Coalescing | undefined;
  drainWaiter: Resolvers<void> | undefined;
  mailbox: Mailbox<Posted> | undefined;
  receiveQueue: ReceiveQueue | undefined;
  livenessState: Liveness | undefined;
  rate: Rate | undefined;

  static {
    // Not a method: isolated declarations don't allow computed members. Node, Bun, Deno and workerd all look for it.
    Object.defineProperty(this.prototype, Symbol.for("nodejs.util.inspect.custom"), { value: shownInLog });
  }

  constructor(surroundings: Surroundings<State, Env>, socket: Socket, { id, head, rest, expiresAt, presence }: Restored) {
    this.phase = head.phase;
    this.#surroundings = surroundings;
    this.#socket = socket;
    this.counters = surroundings.countersOf(head.room);
    this.id = id;
    this.roomName = head.room;
    this.rest = rest;
    this.topicSet = head.topics;
    this.expiresAt = expiresAt;
    this.presence = presence;
    if (head.phase !== "open") closingStateOf(this).closing = restOf(this).closing;
  }

  get surroundings(): Surroundings<State, Env> {
    return this.#surroundings;
  }

  get socket(): Socket {
    return this.#socket;
  }

  /** For `messages.request`. */
  get answering(): Answering<ConnectionContract<State, Env>> | undefined {
    return answeringOf(this.#surroundings.hooks);
  }

  get env(): Env {
    return this.#surroundings.env;
  }

  get rooms(): Rooms {
    return this.#surroundings.rooms;
  }

  get room(): LocalRoom<State, Env> {
    return this.#surroundings.localRoom(this.roomName);
  }

  get url(): string {
    return restOf(this).url;
  }

  get protocol(): string {
    return restOf(this).protocol;
  }

  get remoteAddress(): string {
    return restOf(this).remoteAddress;
  }

  get state(): Readonly<State> {
    return stateOf(this);
  }

  get topics(): ReadonlySet<string> {
    return this.topicSet ?? noTopics;
  }

  get info(): ConnectionInfo<State> {
    return infoOf(this);
  }

  get snapshot(): Stateless {
    return snapshotOf(this);
  }

  get signal(): AbortSignal {
    const controller = (closingStateOf(this).controller ??= new AbortController());
    if (this.phase !== "open" && !controller.signal.aborted) controller.abort();
    return controller.signal;
  }

  setState(state: State): void {
    setState(this, state);
  }

  /** Stores the initial state, if there is a store. */
  keep(): void {
    if (this.#socket.save !== undefined) this.setState(this.state as State);
  }

  // Sending.

  get bufferedAmount(): number {
    return sending.bufferedAmount(this);
  }

  get unreadLeft(): number {
    return sending.unreadLeft(this);
  }

  get disconnected(): boolean {
    return this.#socket.reader?.isAway === true;
  }

  send(data: Sendable, options?: SendOptions): SendResult {
    checkData(data);
    if (options?.keep === false && this.#socket.reader !== undefined) return sending.sendOnce(this, this.#socket.reader, data);
    return sending.push(this, data);
  }

  /** `send` for data that was already checked; published to `topic`, if there is one. */
  push(data: Sendable | Prepared, topic?: string | readonly string[], key?: string): SendResult {
    return sending.push(this, data, topic, key);
  }

  measure(): boolean {
    return sending.measure(this);
  }

  drained(): Promise<void> {
    return sending.drained(this);
  }

  eased(): MaybePromise<void> {
    return sending.eased(this);
  }

  get wantsDrain(): boolean {
    return this.backpressured && this.phase === "open";
  }

  emptied(): MaybePromise<void> {
    return post(this, "drain", undefined);
  }

  // Membership in the room.

  subscribe(topic: string): void;
  subscribe(topic: string, options: SubscribeOptions): Replay;
  subscribe(topic: string, options?: SubscribeOptions): Replay | void {
    return membership.subscribe(this, topic, options);
  }

  unsubscribe(topic: string): void {
    membership.unsubscribe(this, topic);
  }

  publish(topic: string | readonly string[], data: Sendable, options?: PublishOptions): number {
    return membership.publish(this, topic, data, options);
  }

  peers(): Iterable<ConnectionContract<State, Env>> {
    return membership.peers(this);
  }

  present(member: string, state?: unknown): void {
    membership.present(this, member, state);
  }

  absent(): void {
    membership.absent(this);
  }

  // Receiving.

  message(data: Data): MaybePromise<void> {
    return receive(this, data, undefined);
  }

  /** A message of a client with delivery. */
  deliver(delivered: Delivered): MaybePromise<void> {
    return receive(this, delivered.data, delivered);
  }

  readOn(): void {
    readOn(this);
  }

  get liveness(): Liveness {
    return livenessOf(this);
  }

  alive(): void {
    livenessOf(this).heard = true;
    this.#surroundings.heartbeat?.heard(this);
  }

  /** Whether reading from its client is paused. */
  get paused(): boolean {
    return this.receiveQueue?.paused === true;
  }

  // Hooks.

  run(kind: Posted, payload: unknown): MaybePromise<void> {
    return run(this, kind, payload);
  }

  waitUntil(promise: PromiseLike<unknown>): void {
    waitUntil(this, promise);
  }

  get timers(): Internals["timers"] {
    return this.#surroundings.timers;
  }

  watch(work: PromiseLike<unknown>, name: string): void {
    this.#surroundings.watch(work, name);
  }

  waits(): void {
    if (this.mailbox?.hook !== undefined) this.#surroundings.waits(this);
  }

  elapsed(): number {
    return this.#surroundings.clock.elapsed();
  }

  get running(): Promise<void> | undefined {
    return this.mailbox?.running;
  }

  /** Entries of its mailbox that wait for a slow hook. */
  get queued(): number {
    return this.mailbox?.waiting ?? 0;
  }

  get pendingHook(): PendingHook | undefined {
    return this.mailbox?.hook;
  }

  get waitsFor(): string | undefined {
    return waitsFor(this);
  }

  // Lifecycle.

  opened(): MaybePromise<void> {
    return lifecycle.opened(this);
  }

  woke(): MaybePromise<void> {
    return lifecycle.woke(this);
  }

  close(code: number = CloseCode.normal, reason = ""): void {
    checkClose(code, reason);
    lifecycle.end(this, code, reason);
  }

  end(code: number, reason: string): void {
    lifecycle.end(this, code, reason);
  }

  renew(expiresAt: Date | number | null): void {
    lifecycle.renew(this, expiresAt);
  }

  watchExpiry(): void {
    lifecycle.watchExpiry(this);
  }

  terminate(): void {
    lifecycle.terminate(this);
  }

  vanished(): MaybePromise<void> {
    return lifecycle.vanished(this);
  }

  violated(code: number, reason = ""): MaybePromise<void> {
    lifecycle.end(this, code, reason);
    return this.running;
  }

  ended(code: number, reason: string): MaybePromise<void> {
    return lifecycle.ended(this, code, reason);
  }

  retire(code: number, reason: string): Promise<void> {
    return lifecycle.retire(this, code, reason);
  }

  /** It goes on at another server: nothing of it ends here. */
  depart(): void {
    if (this.phase === "open") lifecycle.depart(this);
  }

  release(): void {
    lifecycle.release(this);
  }

  resumeClosing(): void {
    lifecycle.resumeClosing(this);
  }

  get finished(): Promise<void> {
    if (this.phase === "closed") return this.closingState?.over ?? this.running ?? Promise.resolve();
    return (closingStateOf(this).finished ??= Promise.withResolvers()).promise;
  }

  toJSON(): { readonly id: string; readonly room: string; readonly phase: Phase } {
    return { id: this.id, room: this.roomName, phase: this.phase };
  }
}

function shownInLog(this: Connection): string {
  return `Connection ${JSON.stringify(this)}`;
}

const noTopics: ReadonlySet<string> = new Set();
