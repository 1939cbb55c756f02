/** Serves the connections of one Durable Object. The class in index.ts passes its events here. */
import { CloseCode } from "../../src/protocol/close.ts";
import { RoomRegistry } from "../../src/rooms/registry.ts";
import type { SocketListener } from "../../src/ports.ts";
import type { DefinedHandler } from "../../src/handler/define.ts";
import { isPromise } from "../../src/values/promise.ts";
import { refuse, isResponse } from "../../src/protocol/refusal.ts";
import { ReadHead } from "../../src/protocol/request.ts";
import { Server } from "../../src/server/server.ts";
import { wakeAll } from "../../src/server/wake.ts";
import type { Calling } from "../../src/rooms/calls/caller.ts";
import type { RoomCall } from "../../src/rooms/remote-room.ts";
import type { MaybePromise } from "../../src/api/connection.ts";
import type { Room } from "../../src/api/room.ts";
import type { Accepted } from "../../src/server/runtime.ts";
import { pingText, pongText } from "../../src/protocol/text-ping.ts";
import { logError } from "../../src/values/log.ts";
import type { Upgrade } from "../../src/server/upgrade.ts";
import { ObjectAlarm } from "./alarm.ts";
import type { ObjectContext } from "./context.ts";
import { Identity } from "./identity.ts";
import { ObjectConnections } from "./connections.ts";
import { discardPair, DurableSocket, isEdgewireSocket } from "./socket.ts";
import { durableStore, lacksSqlite, warnWithoutSqlite } from "./store.ts";
import { Retry, boundedWork } from "./wait.ts";
import { answerClose, closeSocket, isIllegal, violationOf } from "../workers/close.ts";
import { forwardedOf, unpack } from "../workers/forward.ts";
import type { Forwarded } from "../workers/forward.ts";
import { addressOf, declinesCompression, abandonUpgrade, isClientGone, switchingProtocols } from "../workers/handshake.ts";
import { objectsOf, remoteRoom, requireBinding } from "../workers/rooms.ts";
import { objectHeader } from "../workers/route.ts";
import type { AutoResponse, NativeSocket, SocketPair } from "../workers/types.ts";

declare const WebSocketPair: SocketPair;
declare const WebSocketRequestResponsePair: new (request: string, response: string) => AutoResponse;

export class ObjectHost {
  readonly #ctx: ObjectContext;
  readonly #env: unknown;
  readonly #binding: string;
  readonly #server: Server;
  readonly #alarm: ObjectAlarm;
  readonly #connections: ObjectConnections;
  /** The object's class has no SQLite storage. */
  #withoutSqlite = false;
  readonly #identity: Identity;
  /** The stored data of the room has not been read yet. */
  #unread = true;
  readonly #retry: Retry = new Retry(() => this.#resume());

  constructor(handler: DefinedHandler, ctx: ObjectContext, env: unknown) {
    this.#ctx = ctx;
    this.#env = env;
    this.#binding = requireBinding("durable", handler);
    const identity = new Identity(this.#binding, handler.settings.jurisdiction, ctx.id.name);
    this.#identity = identity;
    // The object's own room is not remote: an RPC to itself would wait for the event that makes it.
    const remote = (name: string, calling: Calling): Room | undefined =>
      name === identity.room ? undefined : remoteRoom(objectsOf(handler, env), name, calling);
    const { storage } = ctx;
    const alarm = new ObjectAlarm(storage, {
      waitUntil: (running) => this.#waitUntil(running),
      found: (pending) => this.#server.appointed(pending),
      due: () => void this.alarm(),
    });
    this.#alarm = alarm;
    const store = durableStore(storage);
    this.#server = new Server(handler, {
      name: "durable",
      registry: RoomRegistry,
      byFetch: true,
      upgradesNoList: true,
      env,
      remote,
      alarm,
      store: () => store,
      waitUntil: (work) => this.#waitUntil(boundedWork(work)),
    });
    // workerd answers these pings without waking the object. The first branch removes what an earlier version of the handler has set.
    if (handler.settings.heartbeat === false) ctx.setWebSocketAutoResponse();
    else ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(pingText, pongText));
    const sockets = ctx.getWebSockets();
    this.#connections = this.#server.schedule.together(() => {
      // workerd lists the newest first; rooms list their connections in the order in which they were accepted.
      const connections = new ObjectConnections(this.#server, ctx, sockets.toReversed());
      this.#resume();
      return connections;
    });
    // Setting the alarm may have failed before the eviction.
    if (sockets.length > 0 && handler.settings.heartbeat !== false) alarm.read();
    // Last: it runs the application's hooks.
    this.#waitUntil(wakeAll(this.#server));
  }

  /** Reads the room's stored data. If that fails, it is retried later, at the next event at the latest; the object serves its clients meanwhile. */
  #resume(): void {
    try {
      this.#server.resume(this.#identity.room ?? "");
      this.#unread = false;
      this.#retry.succeeded();
    } catch (error) {
      // Without SQLite there is nothing to read.
      if (!lacksSqlite(error)) return this.#retry.failed("the room's stored data can't be read", error);
      this.#unread = false;
      this.#withoutSqlite = true;
    }
  }

  fetch(request: Request): MaybePromise<Response> {
    if (this.#unread) this.#resume();
    const forwarded = forwardedOf(request);
    if (forwarded !== undefined) return this.#forwarded(forwarded, request);
    // Not forwarded by `route`: the `upgrade` hook runs here.
    const head = new ReadHead(request);
    const options = {
      env: this.#env,
      remoteAddress: addressOf(head),
      room: this.#identity.room,
      waitUntil: (promise: PromiseLike<unknown>) => this.#waitUntil(promise),
    };
    const finish = (upgrade: Upgrade): Response => {
      if (isResponse(upgrade)) return upgrade;
      if (isPromise(pending) && isClientGone(request)) return abandonUpgrade(this.#server, upgrade);
      return this.#open(upgrade, declinesCompression(head, this.#server.settings));
    };
    const pending = this.#server.upgrade(head, options);
    return isPromise(pending) ? pending.then(finish) : finish(pending);
  }

  message(ws: NativeSocket, data: string | ArrayBuffer): MaybePromise<void> {
    if (this.#unread) this.#resume();
    const connection = this.#connections.of(ws);
    // A client that we have closed may continue to send, and nothing can stop it: its messages cost no more than this check.
    if (connection?.phase !== "open") return;
    connection.alive();
    return connection.message(typeof data === "string" ? data : new Uint8Array(data));
  }

  closed(ws: NativeSocket, code: number, reason: string, wasClean: boolean): MaybePromise<void> {
    if (this.#unread) this.#resume();
    const connection = this.#connections.of(ws);
    if (!this.#connections.remove(ws) && !isEdgewireSocket(ws)) return;
    if (isIllegal(code, wasClean)) void connection?.violated(CloseCode.protocolError);
    answerClose(ws, code, reason);
    return connection?.ended(code, reason);
  }

  /** A broken frame, or a message above workerd's own limit. No close event follows. */
  failed(ws: NativeSocket, error: unknown): MaybePromise<void> {
    const connection = this.#connections.of(ws);
    const violation = violationOf(String(error));
    if (!this.#connections.remove(ws) || connection === undefined) return;
    if (violation !== undefined) void connection.violated(violation);
    closeSocket(ws, CloseCode.internalError, "");
    return connection.ended(CloseCode.abnormal, "");
  }

  /** Runs a method or a call of the room for a caller outside. @throws Error if the room belongs to another object, or the method throws. */
  call(name: string, method: RoomCall, args: readonly unknown[], jurisdiction: string | undefined): unknown {
    if (this.#unread) this.#resume();
    this.#identity.check(name, jurisdiction);
    return this.#server.needRooms("rooms").answer(name, method, args);
  }

  alarm(): MaybePromise<void> {
    if (this.#unread) this.#resume();
    this.#alarm.fired();
    return this.#server.alarm();
  }

  #forwarded(forwarded: Forwarded, request: Request): Response {
    const [binding, identify, declines] = forwarded;
    const response =
      binding === this.#binding
        ? this.#open({ ...unpack(forwarded, request.url), headers: undefined }, declines)
        : refuse(500, "Internal Server Error");
    if (identify) response.headers.set(objectHeader, this.#binding);
    return response;
  }

  #open(accepted: Accepted, declines: boolean): Response {
    const { snapshot } = accepted;
    const misplaced = this.#identity.misplaced(snapshot.room);
    if (misplaced !== undefined) {
      logError("a connection has come to the wrong object [EW702]", misplaced);
      this.#server.abandon(accepted);
      return refuse(500, "Internal Server Error");
    }
    const slot = accepted.slot ?? this.#server.admit(accepted);
    if (isResponse(slot)) return slot;
    const opening = slot === undefined ? accepted : { ...accepted, slot };
    const { 0: client, 1: ws } = new WebSocketPair();
    try {
      this.#ctx.acceptWebSocket(ws);
    } catch (error) {
      // An object accepts at most 32 768 sockets.
      logError("the object accepts no more sockets [EW707]", error);
      this.#server.abandon(opening);
      return refuse(503, "the room is full", { "retry-after": "1" });
    }
    let connection: SocketListener;
    try {
      connection = this.#server.open(new DurableSocket(ws, this.#ctx, Date.now(), false), opening);
    } catch (error) {
      // For example, its state is too large for a class without SQLite.
      logError("a connection can't be opened [EW708]", error);
      this.#server.abandon(opening);
      discardPair(ws, client);
      return refuse(500, "Internal Server Error");
    }
    this.#connections.add(ws, connection);
    if (this.#withoutSqlite) warnWithoutSqlite(this.#binding);
    this.#waitUntil(connection.running);
    return switchingProtocols(client, accepted, declines);
  }

  #waitUntil(running: PromiseLike<unknown> | undefined): void {
    if (running === undefined) return;
    try {
      this.#ctx.waitUntil(Promise.resolve(running));
    } catch (error) {
      // The promise still runs while the object is in memory.
      logError("waitUntil failed [EW202]", error);
    }
  }
}
