/** What TypeScript infers and refuses where messages are defined and used: alike for zod, valibot and arktype. Compiled, never run. */
import { type } from "arktype";
import { defineHandler } from "edgewire";
import type { Connection, Room, SendResult } from "edgewire";
import { ReconnectingWebSocket } from "edgewire/client";
import type { ClientSendResult } from "edgewire/client";
import { defineMessages, json, messageClient, messageHandler, presence } from "edgewire/messages";
import type { Issue, MessageClient, MessageError, StandardSchema } from "edgewire/messages";
import { msgpack } from "edgewire/msgpack";
import * as v from "valibot";
import { expectTypeOf } from "vitest";
import type { WebSocket as WsWebSocket } from "ws";
import { z } from "zod";

declare const socket: WebSocket;
declare const ws: WsWebSocket;
declare const room: Room;

// The three libraries, with a schema whose input (a string) is not its output (a number).
const zodMessages = defineMessages({
  toServer: { say: z.object({ text: z.string() }), age: z.string().transform(Number), leave: z.undefined() },
  toClient: { said: z.object({ from: z.string(), text: z.string() }), age: z.string().transform(Number), left: z.undefined() },
  requests: {
    find: { payload: z.object({ id: z.string() }), result: z.string().transform(Number) },
    now: { payload: z.undefined(), result: z.date() },
  },
});
const valibotMessages = defineMessages({
  toServer: { say: v.object({ text: v.string() }), age: v.pipe(v.string(), v.transform(Number)), leave: v.undefined() },
  toClient: { said: v.object({ from: v.string(), text: v.string() }), age: v.pipe(v.string(), v.transform(Number)), left: v.undefined() },
  requests: {
    find: { payload: v.object({ id: v.string() }), result: v.pipe(v.string(), v.transform(Number)) },
    now: { payload: v.undefined(), result: v.date() },
  },
});
const arkMessages = defineMessages({
  toServer: { say: type({ text: "string" }), age: type("string.numeric.parse"), leave: type("undefined") },
  toClient: { said: type({ from: "string", text: "string" }), age: type("string.numeric.parse"), left: type("undefined") },
  requests: {
    find: { payload: type({ id: "string" }), result: type("string.numeric.parse") },
    now: { payload: type("undefined"), result: type("Date") },
  },
});

// One program for all three: what follows would not compile if they differed.
function program(messages: typeof zodMessages | typeof valibotMessages | typeof arkMessages): void {
  void messages;
}
program(zodMessages);
program(valibotMessages);
program(arkMessages);

defineHandler(
  messageHandler(zodMessages, {
    binding: "ROOM",
    maxRequests: 10,
    upgrade: () => ({ state: { name: "Ada", said: 0 } }),
    open(connection) {
      expectTypeOf(connection.state).toEqualTypeOf<Readonly<{ name: string; said: number }>>();
    },
    messages: {
      say(connection, payload) {
        expectTypeOf(connection).toEqualTypeOf<Connection<{ name: string; said: number }>>();
        expectTypeOf(payload).toEqualTypeOf<{ text: string }>();
        expectTypeOf(zodMessages.send(connection, "said", { from: "Ada", text: "hello" })).toEqualTypeOf<SendResult>();
        expectTypeOf(zodMessages.publish(connection, "chat", "said", { from: "Ada", text: "hello" })).toEqualTypeOf<number>();
        expectTypeOf(zodMessages.publish(room, "chat", "left", undefined, { except: "id" })).toEqualTypeOf<Promise<number>>();
        expectTypeOf(zodMessages.broadcast(room, "said", { from: "Ada", text: "hello" }, { except: [] })).toEqualTypeOf<Promise<number>>();
        expectTypeOf(zodMessages.broadcast(connection.room, "left")).toEqualTypeOf<number>();
        expectTypeOf(zodMessages.publish(connection.room, ["a", "b"], "left", undefined, { except: "id" })).toEqualTypeOf<number>();
        zodMessages.send(connection, "left");
        zodMessages.send(connection, "age", "42");
        connection.publish("chat", zodMessages.encode("left"));
        // @ts-expect-error: there is no such message to the client.
        zodMessages.send(connection, "say", { text: "hello" });
        // @ts-expect-error: a payload of another shape.
        zodMessages.send(connection, "said", { text: "hello" });
        // @ts-expect-error: no payload.
        zodMessages.send(connection, "said");
        // @ts-expect-error: the schema's output; its input is sent.
        zodMessages.send(connection, "age", 42);
        // @ts-expect-error: a payload for a message without one.
        zodMessages.broadcast(room, "left", "bye");
        const keyed = zodMessages.publish(connection, "chat", "said", { from: "Ada", text: "hello" }, { key: "Ada", except: "id" });
        expectTypeOf(keyed).toEqualTypeOf<number>();
        expectTypeOf(zodMessages.publish(room, "chat", "left", undefined, { key: "Ada" })).toEqualTypeOf<Promise<number>>();
        // @ts-expect-error: a key is text.
        zodMessages.publish(connection, "chat", "left", undefined, { key: 1 });
        // @ts-expect-error: what goes to everyone is not coalesced.
        zodMessages.broadcast(room, "left", undefined, { key: "Ada" });
      },
      age: (_connection, age) => expectTypeOf(age).toEqualTypeOf<number>(),
      leave: (_connection, payload) => expectTypeOf(payload).toEqualTypeOf<undefined>(),
    },
    requests: {
      async find(_connection, { id }, { signal }) {
        expectTypeOf(id).toEqualTypeOf<string>();
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
        return "42";
      },
      now: () => new Date(),
    },
    invalid(connection, problem) {
      expectTypeOf(connection.state.name).toEqualTypeOf<string>();
      expectTypeOf(problem).toEqualTypeOf<MessageError>();
      expectTypeOf(problem.issues).toEqualTypeOf<readonly Issue[]>();
    },
  }),
);

messageHandler(valibotMessages, {
  messages: {
    say: (_connection, payload) => expectTypeOf(payload).toEqualTypeOf<{ text: string }>(),
    age: (_connection, age) => expectTypeOf(age).toEqualTypeOf<number>(),
    leave: () => {},
  },
  requests: { find: (_connection, { id }) => id, now: () => new Date() },
});
messageHandler(arkMessages, {
  messages: {
    say: (_connection, payload) => expectTypeOf(payload).toEqualTypeOf<{ text: string }>(),
    age: (_connection, age) => expectTypeOf(age).toEqualTypeOf<number>(),
    leave: () => {},
  },
  requests: { find: (_connection, { id }) => id, now: () => new Date() },
});

// What a handler must not be.
const requests = { find: () => "42", now: () => new Date() };
// @ts-expect-error: hooks are missing.
messageHandler(zodMessages, {});
// @ts-expect-error: one hook is missing.
messageHandler(zodMessages, { messages: { say() {}, age() {} }, requests });
// @ts-expect-error: a hook for a message that there is not.
messageHandler(zodMessages, { messages: { say() {}, age() {}, leave() {}, shout() {} }, requests });
// @ts-expect-error: the result's output; its input is sent.
messageHandler(zodMessages, { messages: { say() {}, age() {}, leave() {} }, requests: { ...requests, find: () => 42 } });
// @ts-expect-error: raw messages have their own handler.
messageHandler(zodMessages, { messages: { say() {}, age() {}, leave() {} }, requests, message() {} });
// @ts-expect-error: the codecs are the subprotocols.
messageHandler(zodMessages, { messages: { say() {}, age() {}, leave() {} }, requests, protocols: ["v1"] });

// Nothing to the server, and nothing to ask: no hooks.
defineHandler(messageHandler(defineMessages({ toClient: { tick: z.number() } }), {}));

// The client.
async function client(): Promise<void> {
  const chat = messageClient(zodMessages, socket);
  expectTypeOf(chat.send("say", { text: "hello" })).toEqualTypeOf<void>();
  chat.send("leave");
  chat.send("age", "42");
  expectTypeOf(chat.on("said", ({ from }) => expectTypeOf(from).toEqualTypeOf<string>())).toEqualTypeOf<() => void>();
  chat.on("age", (age) => expectTypeOf(age).toEqualTypeOf<number>());
  expectTypeOf(await chat.request("find", { id: "1" }, { deadline: 100, signal: AbortSignal.timeout(10) })).toEqualTypeOf<number>();
  expectTypeOf(await chat.request("now")).toEqualTypeOf<Date>();
  expectTypeOf(await chat.request("now", undefined, { deadline: 100 })).toEqualTypeOf<Date>();
  chat.onError((error) => expectTypeOf(error.code).toEqualTypeOf<string>());

  // @ts-expect-error: there is no such message.
  chat.send("shout", { text: "hello" });
  // @ts-expect-error: one that the client receives.
  chat.send("said", { from: "Ada", text: "hello" });
  // @ts-expect-error: a payload of another shape.
  chat.send("say", { text: 7 });
  // @ts-expect-error: no payload.
  chat.send("say");
  // @ts-expect-error: one that the client sends.
  chat.on("say", () => {});
  // @ts-expect-error: a request is no message.
  chat.send("find", { id: "1" });
  // @ts-expect-error: a message is no request.
  await chat.request("say", { text: "hello" });
  // @ts-expect-error: no payload.
  await chat.request("find");
  // @ts-expect-error: an option that there is not.
  await chat.request("find", { id: "1" }, { timeout: 100 });

  const ark = messageClient(arkMessages, socket);
  expectTypeOf(await ark.request("find", { id: "1" })).toEqualTypeOf<number>();
  // @ts-expect-error: a payload of another shape.
  ark.send("say", { txt: "hello" });
  const valibot = messageClient(valibotMessages, socket);
  expectTypeOf(await valibot.request("find", { id: "1" })).toEqualTypeOf<number>();
  // @ts-expect-error: a payload of another shape.
  valibot.send("say", { txt: "hello" });
}
void client;

// What a socket's `send` returns is what `send` returns.
declare const queueing: {
  readonly readyState: number;
  readonly protocol: string;
  binaryType: BinaryType;
  send(data: string | ArrayBufferView | ArrayBuffer): "sent" | "queued";
  addEventListener: WebSocket["addEventListener"];
};
expectTypeOf(messageClient(zodMessages, queueing).send("leave")).toEqualTypeOf<"sent" | "queued">();

const returning = messageClient(zodMessages, new ReconnectingWebSocket("ws://localhost/", zodMessages.protocols));
expectTypeOf(returning.send("leave")).toEqualTypeOf<ClientSendResult>();

// A client's type has a name; the socket's type says what `send` returns.
const named: MessageClient<typeof zodMessages> = messageClient(zodMessages, socket);
expectTypeOf(named.send("leave")).toEqualTypeOf<unknown>();
expectTypeOf(await named.request("find", { id: "1" })).toEqualTypeOf<number>();
expectTypeOf(messageClient(zodMessages, socket)).toEqualTypeOf<MessageClient<typeof zodMessages, WebSocket>>();
expectTypeOf<MessageClient<typeof zodMessages, WebSocket>>().toExtend<MessageClient<typeof zodMessages>>();
const overWs: MessageClient<typeof zodMessages, WsWebSocket> = messageClient(zodMessages, ws);
expectTypeOf(overWs.send("leave")).toEqualTypeOf<void>();
const reconnecting: MessageClient<typeof zodMessages, ReconnectingWebSocket> = returning;
expectTypeOf(reconnecting.send("leave")).toEqualTypeOf<ClientSendResult>();

// Streams.
const streaming = defineMessages({
  requests: {
    find: { payload: z.object({ id: z.string() }), result: z.number() },
    ask: { payload: z.object({ prompt: z.string() }), item: z.string().transform(Number) },
    ticks: { payload: z.undefined(), item: type("string.numeric.parse") },
  },
});
messageHandler(streaming, {
  upgrade: () => ({ state: { name: "Ada" } }),
  requests: {
    find: () => 1,
    async *ask(connection, { prompt }, { signal }) {
      expectTypeOf(connection.state.name).toEqualTypeOf<string>();
      expectTypeOf(prompt).toEqualTypeOf<string>();
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
      yield "42";
    },
    // Anything that is async iterable, also later.
    ticks: () => Promise.resolve(new ReadableStream<string>()),
  },
});
async function* numbers(): AsyncGenerator<number> {
  yield 42;
}
// @ts-expect-error: the item's output; its input is sent.
messageHandler(streaming, { requests: { find: () => 1, ticks: async function* () {}, ask: numbers } });
// @ts-expect-error: a stream has items, not one result.
messageHandler(streaming, { requests: { find: () => 1, ticks: async function* () {}, ask: () => "42" } });
// @ts-expect-error: a request has one result.
messageHandler(streaming, { requests: { find: async function* () {}, ticks: async function* () {}, ask: async function* () {} } });

async function streams(): Promise<void> {
  const chat: MessageClient<typeof streaming> = messageClient(streaming, socket);
  for await (const number of chat.stream("ask", { prompt: "hello" }, { deadline: 100, window: 4, signal: AbortSignal.timeout(10) })) {
    expectTypeOf(number).toEqualTypeOf<number>();
  }
  expectTypeOf(chat.stream("ticks")).toEqualTypeOf<AsyncIterableIterator<number>>();
  // @ts-expect-error: a request with one result.
  chat.stream("find", { id: "1" });
  // @ts-expect-error: a stream.
  await chat.request("ask", { prompt: "hello" });
  // @ts-expect-error: a payload of another shape.
  chat.stream("ask", { text: "hello" });
  // @ts-expect-error: an option that there is not.
  chat.stream("ticks", undefined, { timeout: 100 });
}
void streams;

// What the server asks.
const asking = defineMessages({
  toClient: {
    said: z.string(),
    confirm: { payload: z.object({ what: z.string() }), result: z.string().transform(Number) },
    ping: { payload: type("undefined"), result: v.string() },
  },
});
messageHandler(asking, {
  async open(connection) {
    expectTypeOf(await asking.request(connection, "confirm", { what: "tea" }, { deadline: 100 })).toEqualTypeOf<number>();
    expectTypeOf(await asking.request(connection, "ping")).toEqualTypeOf<string>();
    for (const one of connection.room.peers()) await asking.request(one, "ping", undefined, { signal: connection.signal });
    // @ts-expect-error: a message.
    await asking.request(connection, "said", "hello");
    // @ts-expect-error: a payload of another shape.
    await asking.request(connection, "confirm", { text: "tea" });
    // @ts-expect-error: no payload.
    await asking.request(connection, "confirm");
    // @ts-expect-error: a request.
    asking.send(connection, "confirm", { what: "tea" });
    // @ts-expect-error: an option that there is not.
    await asking.request(connection, "ping", undefined, { timeout: 100 });
    // @ts-expect-error: a room is not a client.
    await asking.request(room, "ping");
  },
});
const answering: MessageClient<typeof asking> = messageClient(asking, socket);
const stop = answering.answer("confirm", ({ what }, { signal }) => {
  expectTypeOf(what).toEqualTypeOf<string>();
  expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
  return "42";
});
expectTypeOf(stop).toEqualTypeOf<() => void>();
answering.answer("ping", async () => "pong");
// @ts-expect-error: the result's output; its input is sent.
answering.answer("confirm", () => 42);
// @ts-expect-error: a message.
answering.answer("said", () => "hello");
// @ts-expect-error: a request.
answering.on("confirm", () => {});

// Definitions.
defineMessages({ codecs: [msgpack, json], checkSent: true });
// @ts-expect-error: no schema.
defineMessages({ toServer: { say: "string" } });
// @ts-expect-error: an option that there is not.
defineMessages({ toServers: {} });
// @ts-expect-error: a request without a result.
defineMessages({ requests: { find: { payload: z.string() } } });
// @ts-expect-error: a stream has items, a request one result.
defineMessages({ requests: { find: { payload: z.string(), result: z.string(), item: z.string() } } });
// @ts-expect-error: a request to the client has a result.
defineMessages({ toClient: { confirm: { payload: z.string() } } });
// @ts-expect-error: a client answers with one result.
defineMessages({ toClient: { confirm: { payload: z.string(), item: z.string() } } });
expectTypeOf(z.string()).toExtend<StandardSchema<string, string>>();
expectTypeOf(v.string()).toExtend<StandardSchema<string, string>>();
expectTypeOf(type("string")).toExtend<StandardSchema<string, string>>();

// Positions and presence: the state of a member is its schema's output; a definition without presence has none.
{
  const live = defineMessages({ toClient: { said: z.string() }, presence: presence(z.object({ mood: z.string().transform(Number) })) });
  const people = live.presence("people");
  defineHandler(
    messageHandler(live, {
      history: { chat: { messages: 200, encode: live.positioned } },
      presence: people,
      open: (connection) => people.subscribe(connection),
    }),
  );
  const listening = messageClient(live, socket);
  listening.on("said", (text, position) => {
    expectTypeOf(text).toEqualTypeOf<string>();
    expectTypeOf(position?.time).toEqualTypeOf<number | undefined>();
  });
  expectTypeOf(listening.onGap).parameter(0).parameter(0).toEqualTypeOf<{ readonly topic: string; readonly position: string }>();
  const list = listening.presence("people");
  expectTypeOf(list.members.get("ada")?.state).toEqualTypeOf<{ mood: number } | undefined>();
  list.on("join", ({ state }) => expectTypeOf(state.mood).toEqualTypeOf<number>());
  // @ts-expect-error there is no such event
  list.on("joined", () => {});
  expectTypeOf(
    messageClient(defineMessages({ presence: presence() }), socket)
      .presence("people")
      .members.get("ada")?.state,
  ).toBeUnknown();
  // @ts-expect-error the definition has no presence
  defineMessages({}).presence("people");
  // @ts-expect-error nor has the client
  messageClient(defineMessages({}), socket).presence("people");
  // @ts-expect-error a schema alone is not a presence
  defineMessages({ presence: z.string() });
}
