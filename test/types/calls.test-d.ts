/** What TypeScript infers and refuses of a handler's calls. Compiled, never run. */
import { defineHandler } from "edgewire";
import type { CallsOf, LocalRoom, NoCalls, Room, Rooms, ServerRooms, UntypedCalls } from "edgewire";
import { rooms as roomsOf } from "edgewire/hono";
import { memory } from "edgewire/memory";
import { defineMessages, messageHandler } from "edgewire/messages";
import { serve, type Serving } from "edgewire/serve";
import { Hono } from "hono";
import { expectTypeOf } from "vitest";

interface Tally {
  readonly votes: Readonly<Record<string, number>>;
}

// State is what `upgrade` returns, with `calls` after it …
const chat = defineHandler({
  binding: "ROOM",
  upgrade: () => ({ state: { name: "Ada" } }),
  calls: {
    async vote(room, option: string) {
      expectTypeOf(room).toEqualTypeOf<LocalRoom<{ name: string }>>();
      for (const peer of room.peers()) expectTypeOf(peer.state.name).toEqualTypeOf<string>();
      const tally = await room.storage.update<Tally>("tally", (before = { votes: {} }) => before);
      return { tally, option };
    },
    reset(room) {
      room.broadcast("reset");
    },
    count: (room, topic?: string) => room.count(topic),
    all: (_room, ...options: number[]) => options,
    none: () => "nothing",
  },
});

// … and before it.
const early = defineHandler({
  calls: { name: (room) => [...room.peers()].map((peer) => peer.state.name) },
  upgrade: () => ({ state: { name: "Ada" } }),
});

const server = memory(chat);
const lobby = server.room("lobby", { deadline: 1000 });
expectTypeOf(lobby.call("vote", "tea")).toEqualTypeOf<Promise<{ tally: Tally | undefined; option: string }>>();
expectTypeOf(lobby.call("reset")).toEqualTypeOf<Promise<void>>();
expectTypeOf(lobby.call("count")).toEqualTypeOf<Promise<number>>();
expectTypeOf(lobby.call("count", "topic")).toEqualTypeOf<Promise<number>>();
expectTypeOf(lobby.call("all", 1, 2, 3)).toEqualTypeOf<Promise<number[]>>();
expectTypeOf(lobby.call("none")).toEqualTypeOf<Promise<string>>();
expectTypeOf(memory(early).room("r").call("name")).toEqualTypeOf<Promise<string[]>>();
// @ts-expect-error: no such call.
void lobby.call("votes", "tea");
// @ts-expect-error: an argument of another type.
void lobby.call("vote", 7);
// @ts-expect-error: an argument is missing.
void lobby.call("vote");
// @ts-expect-error: an argument too many.
void lobby.call("reset", 1);
// @ts-expect-error: the room is not the caller's to give.
void lobby.call("vote", lobby, "tea");
// @ts-expect-error: milliseconds.
server.room("lobby", { deadline: "1 s" });
// @ts-expect-error: an unknown option.
server.room("lobby", { timeout: 1000 });

// A handler without calls has none.
const plain = defineHandler({});
// @ts-expect-error: nothing can be called.
void memory(plain).room("r").call("vote");

// With types of its own, in the curried form.
interface User {
  readonly id: number;
}
interface Env {
  readonly LIMIT: number;
}
const typed = defineHandler<User, Env>()({
  upgrade: () => ({ state: { id: 1 } }),
  calls: {
    ids(room, most: number) {
      expectTypeOf(room).toEqualTypeOf<LocalRoom<User, Env>>();
      return room
        .connections()
        .map(({ state }) => state.id)
        .slice(0, Math.min(most, room.env.LIMIT));
    },
  },
});
expectTypeOf(memory(typed).room("r").call("ids", 10)).toEqualTypeOf<Promise<number[]>>();
// @ts-expect-error: not the named state.
defineHandler<User>()({ upgrade: () => ({ state: { id: "one" } }) });

// What `defineHandler` refuses at start-up, the compiler refuses first.
// @ts-expect-error: a call that is no function.
defineHandler({ calls: { vote: "tea" } });
// @ts-expect-error: the first argument is the room.
defineHandler({ calls: { vote: (option: string) => option } });
// An argument without a type is unknown.
defineHandler({ calls: { vote: (_room, option) => expectTypeOf(option).toEqualTypeOf<unknown>() } });

// Inside hooks and calls any name can be called: a handler's type can't refer to itself.
defineHandler({
  async message(connection) {
    expectTypeOf(connection.rooms).toEqualTypeOf<Rooms<UntypedCalls>>();
    expectTypeOf(await connection.rooms.room("r").call("whatever", 1, "two")).toEqualTypeOf<unknown>();
  },
  calls: {
    async relay(here, to: string) {
      return (await here.rooms.room(to).call("whatever")) as number;
    },
  },
});

// By the type of calls that are written beside the handler.
const asked = {
  votes: async (room: LocalRoom, option: string) => room.count(option),
};
defineHandler({
  async message(connection) {
    const others = connection.rooms as Rooms<typeof asked>;
    expectTypeOf(await others.room("r").call("votes", "tea")).toEqualTypeOf<number>();
    // @ts-expect-error: no such call.
    void others.room("r").call("vote", "tea");
  },
  calls: asked,
});

// One type for all rooms: typed ones are rooms of any.
const any: Room = lobby;
const anyRooms: Rooms = server;
const anyServer: ServerRooms = server;
void [any, anyRooms, anyServer];
expectTypeOf<CallsOf<typeof plain>>().toEqualTypeOf<NoCalls>();
expectTypeOf<keyof CallsOf<typeof chat>>().toEqualTypeOf<"vote" | "reset" | "count" | "all" | "none">();

// What `serve` returns, of the handler that it was given and of those that an app mounts.
const serving = await serve(chat);
expectTypeOf(serving).toEqualTypeOf<Serving<CallsOf<typeof chat>>>();
expectTypeOf(serving.room("r").call("none")).toEqualTypeOf<Promise<string>>();
expectTypeOf(serving.rooms(typed).room("r").call("ids", 1)).toEqualTypeOf<Promise<number[]>>();
expectTypeOf(serving.rooms(typed).roomNames({ after: "a" })).toEqualTypeOf<Promise<readonly string[]>>();
expectTypeOf(serving.broadcast("all", { except: "id" })).toEqualTypeOf<Promise<number>>();
const annotated: Serving = serving;
expectTypeOf(annotated.room("r").call("none")).toEqualTypeOf<Promise<unknown>>();

// In Hono.
new Hono().post("/vote/:room", roomsOf(chat), async (c) => {
  expectTypeOf(c.var.rooms).toEqualTypeOf<Rooms<CallsOf<typeof chat>>>();
  const { option } = await c.var.rooms.room(c.req.param("room")).call("vote", await c.req.text());
  // @ts-expect-error: on Cloudflare nothing can list the rooms.
  void c.var.rooms.roomNames;
  return c.json({ option });
});

// Beside typed messages.
const spoken = defineHandler(
  messageHandler(defineMessages({}), {
    upgrade: () => ({ state: { name: "Ada" } }),
    calls: { names: (inside, prefix: string) => [...inside.peers()].map((peer) => prefix + peer.state.name) },
  }),
);
expectTypeOf(memory(spoken).room("r").call("names", "@")).toEqualTypeOf<Promise<string[]>>();

// One connection, and the whole room.
expectTypeOf(lobby.send).parameters.toEqualTypeOf<[connectionId: string, data: string | ArrayBuffer | ArrayBufferView]>();
expectTypeOf(lobby.disconnect("id", 4000, "bye")).toEqualTypeOf<Promise<boolean>>();
expectTypeOf(lobby.delete()).toEqualTypeOf<Promise<number>>();
