/** What TypeScript infers and refuses where a handler is written. Compiled, never run. */
import { defineHandler } from "edgewire";
import type {
  AlarmInfo,
  Closing,
  Data,
  ErrorContext,
  History,
  Replay,
  RoomTransaction,
  RoomValues,
  Rooms,
  SendResult,
  StateOf,
} from "edgewire";
import { expectTypeOf } from "vitest";

// State is what `upgrade` returns, in every later hook.
const chat = defineHandler({
  upgrade(request, context) {
    expectTypeOf(request).toEqualTypeOf<Request>();
    expectTypeOf(context.remoteAddress).toEqualTypeOf<string>();
    return { state: { name: "Ada", messages: 0 }, room: "lobby", headers: { "set-cookie": "seen=1" } };
  },
  open(connection) {
    expectTypeOf(connection.state).toEqualTypeOf<Readonly<{ name: string; messages: number }>>();
    connection.setState({ name: "Ada", messages: 1 });
    // @ts-expect-error: state is replaced by setState, never written to.
    connection.state.messages = 1;
    // @ts-expect-error: a state of another shape.
    connection.setState({ name: "Ada" });
  },
  message(connection, data) {
    expectTypeOf(data).toEqualTypeOf<Data>();
    expectTypeOf(connection.state.messages).toEqualTypeOf<number>();
    expectTypeOf(connection.send(data)).toEqualTypeOf<SendResult>();
    expectTypeOf(connection.rooms).toEqualTypeOf<Rooms>();
    for (const peer of connection.peers()) expectTypeOf(peer.state.name).toEqualTypeOf<string>();
  },
  close(connection, closing) {
    expectTypeOf(connection.state.name).toEqualTypeOf<string>();
    expectTypeOf(closing).toEqualTypeOf<Closing>();
  },
  alarm(room, info) {
    expectTypeOf(room.env).toEqualTypeOf<unknown>();
    expectTypeOf(info).toEqualTypeOf<AlarmInfo>();
    expectTypeOf(info.retryCount).toEqualTypeOf<number>();
  },
  error(error, context) {
    expectTypeOf(error).toEqualTypeOf<unknown>();
    expectTypeOf(context).toEqualTypeOf<ErrorContext<{ name: string; messages: number }>>();
  },
});
expectTypeOf<StateOf<typeof chat>>().toEqualTypeOf<{ name: string; messages: number }>();

// An async upgrade that may refuse says the same.
defineHandler({
  async upgrade(request) {
    const name = new URL(request.url).searchParams.get("name");
    if (name === null) return new Response("name?", { status: 400 });
    return { state: { name } };
  },
  open(connection) {
    expectTypeOf(connection.state).toEqualTypeOf<Readonly<{ name: string }>>();
  },
});

// An upgrade that only refuses leaves the state unknown, and so does no upgrade at all.
defineHandler({
  upgrade(request) {
    if (request.headers.get("authorization") === null) return new Response(null, { status: 401 });
  },
  open(connection) {
    expectTypeOf(connection.state).toEqualTypeOf<Readonly<unknown>>();
  },
});
defineHandler({
  message(connection) {
    expectTypeOf(connection.state).toEqualTypeOf<Readonly<unknown>>();
  },
});

// State and environment can be named instead.
interface Env {
  readonly GREETING: string;
}
defineHandler<{ visits: number }, Env>({
  upgrade(_request, context) {
    expectTypeOf(context.env).toEqualTypeOf<Env>();
    return { state: { visits: 0 } };
  },
  message(connection) {
    expectTypeOf(connection.env.GREETING).toEqualTypeOf<string>();
  },
  migrate: (state, version) => ({ visits: version === 0 ? Number(state) : 0 }),
});
defineHandler<{ visits: number }>({
  // @ts-expect-error: not the named state.
  upgrade: () => ({ state: { visits: "many" } }),
});

// What `defineHandler` refuses at start-up, the compiler refuses first.
// @ts-expect-error: an unknown option.
defineHandler({ maxPayloads: 1 });
// @ts-expect-error: a hook that is no function.
defineHandler({ message: "echo" });
// @ts-expect-error: an option of the wrong type.
defineHandler({ maxPayload: "1 MiB" });
// @ts-expect-error: neither of the two choices.
defineHandler({ slowConsumer: "wait" });

// What outlives its hook.
declare const thenable: PromiseLike<number>;
defineHandler({
  message(connection) {
    expectTypeOf(connection.waitUntil(Promise.resolve(1))).toEqualTypeOf<void>();
    connection.room.waitUntil(fetch("https://example.com"));
    connection.waitUntil(thenable);
    // @ts-expect-error: a value.
    connection.waitUntil(1);
    // @ts-expect-error: the function that would return the promise.
    connection.waitUntil(async () => {});
    // @ts-expect-error: nothing.
    connection.room.waitUntil();
    // @ts-expect-error: a room from outside has no hooks to outlive.
    connection.rooms.room("lobby").waitUntil(Promise.resolve());
  },
  error(_, { hook }) {
    expectTypeOf<"waitUntil">().toExtend<typeof hook>();
  },
});

// What can't be sent.
defineHandler({
  message(connection) {
    connection.send("text");
    connection.send(new ArrayBuffer(1));
    connection.send(new DataView(new ArrayBuffer(1)));
    // @ts-expect-error: an object.
    connection.send({ type: "text" });
    // @ts-expect-error: a Blob.
    connection.send(new Blob(["text"]));
    // @ts-expect-error: nothing.
    connection.send();
  },
});

// What a room and a topic keep.
defineHandler({
  history: { chat: { messages: 10, bytes: 10_000, seconds: 60, encode: ({ data, position }) => `${position} ${String(data)}` } },
  async message(connection) {
    expectTypeOf(connection.subscribe("chat")).toEqualTypeOf<void>();
    expectTypeOf(connection.subscribe("chat", { history: { after: "" } })).toEqualTypeOf<Replay>();
    expectTypeOf(connection.room.history("chat")).toEqualTypeOf<History>();
    expectTypeOf(await connection.rooms.room("other").history("chat", { limit: 1 })).toEqualTypeOf<History>();
    expectTypeOf(connection.room.deleteHistory("chat")).toEqualTypeOf<boolean>();
    expectTypeOf(connection.rooms.room("other").deleteHistory("chat")).toEqualTypeOf<Promise<boolean>>();
    expectTypeOf(await connection.room.storage.get<number>("n")).toEqualTypeOf<number | undefined>();
    expectTypeOf(await connection.room.storage.list<Date>({ prefix: "d" })).toEqualTypeOf<ReadonlyMap<string, Date>>();
    const { storage } = connection.room;
    expectTypeOf(await storage.update<number>("n", (n = 0) => n + 1)).toEqualTypeOf<number | undefined>();
    expectTypeOf(await storage.update("n", async (n: Date | undefined) => n)).toEqualTypeOf<Date | undefined>();
    // @ts-expect-error: a value of another type.
    void storage.update<number>("n", () => "1");
    const moved = storage.transaction(async (values) => {
      expectTypeOf(values).toEqualTypeOf<RoomTransaction>();
      expectTypeOf(await values.get<number>("n")).toEqualTypeOf<number | undefined>();
      // @ts-expect-error: an update would wait for the transaction.
      void values.update;
      return "moved" as const;
    });
    expectTypeOf(await moved).toEqualTypeOf<"moved">();
    expectTypeOf(storage.sync()).toEqualTypeOf<Promise<void>>();
    expectTypeOf<NonNullable<RoomValues["apply"]>>().parameter(0).toEqualTypeOf<ReadonlyMap<string, string | undefined>>();
    // @ts-expect-error: `history: false` is no way to say none.
    connection.subscribe("chat", { history: false });
  },
});
// @ts-expect-error: a setting of another type.
defineHandler({ history: { chat: { messages: "10" } } });
