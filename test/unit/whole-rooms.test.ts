/** What concerns one connection by its id, a whole room, or all rooms of a server. */
import { expect, test, vi } from "vitest";
import { MountedHandlers } from "../../adapters/shared/mounted-handlers.ts";
import { memory } from "../../adapters/memory/index.ts";
import type { Handler, LocalRoom, Room, RoomStorage, RoomValues } from "../../src/index.ts";
import type { Connection } from "../../src/connection/connection.ts";
import { defineHandler } from "../../src/handler/define.ts";
import { MemoryStore } from "../../src/rooms/memory-store.ts";
import { RoomRegistry } from "../../src/rooms/registry.ts";
import { serverRooms } from "../../src/rooms/whole/server-rooms.ts";
import type { Runtime } from "../../src/server/runtime.ts";
import { Server } from "../../src/server/server.ts";
import { FakeClock, FakeSocket, settle, snapshot } from "./fake.ts";

interface Setup {
  readonly server: Server;
  readonly clock: FakeClock;
  join(room?: string, state?: unknown): { readonly live: Connection; readonly socket: FakeSocket };
}

function serve(handler: Handler = {}, runtime: Partial<Runtime> = {}): Setup {
  const clock = new FakeClock();
  const server = new Server(defineHandler(handler), { name: "fake", registry: RoomRegistry, clock, ...runtime });
  return {
    server,
    clock,
    join(room = "r", state = undefined) {
      const socket = new FakeSocket();
      return { socket, live: server.begin(socket, { snapshot: snapshot({ room, state }) }) };
    },
  };
}

/** A store, with what is in it. */
function kept(store: MemoryStore): string[] {
  return Array.from(store.list({ prefix: "" }), ([key]) => key);
}

test("send reaches one connection of the room, by its id", async () => {
  const { server, join } = serve();
  const [one, two, other] = [join(), join(), join("other")];
  const { room } = one.live;
  expect(room.send(one.live.id, "a")).toBe("sent");
  expect(await server.room("r").send(two.live.id, new Uint8Array([1]))).toBe("sent");
  for (const id of [other.live.id, "nobody", ""]) {
    expect(room.send(id, "x")).toBe("closed");
    expect(await server.room("r").send(id, "x")).toBe("closed");
  }
  two.live.close(4000);
  expect(room.send(two.live.id, "x")).toBe("closed");
  void two.live.ended(4000, "");
  expect(room.send(two.live.id, "x")).toBe("closed");
  expect([one.socket.sent, two.socket.sent, other.socket.sent]).toEqual([["a"], [new Uint8Array([1])], []]);
});

test("disconnect closes one connection of the room, by its id", async () => {
  const { server, join } = serve();
  const [one, two, other] = [join(), join(), join("other")];
  const { room } = one.live;
  expect(room.disconnect(one.live.id)).toBe(true);
  expect(await server.room("r").disconnect(two.live.id, 4001, "bye")).toBe(true);
  expect([room.disconnect(one.live.id), room.disconnect(other.live.id), await server.room("r").disconnect("nobody")]).toEqual([
    false,
    false,
    false,
  ]);
  expect([one.socket.calls, two.socket.calls, other.socket.calls]).toEqual([["close 1000"], ["close 4001 bye"], []]);
});

test("both refuse what is wrong, inside and outside alike, and do nothing", async () => {
  const { server, join } = serve();
  const { live, socket } = join();
  const wrong: readonly (readonly ["send" | "disconnect", readonly unknown[], string])[] = [
    ["send", [7, "x"], "a connection's id is a string, not 7 [EW154]"],
    ["send", [live.id, 7], "a message must be a string"],
    ["send", [live.id], "a message must be a string"],
    ["disconnect", [live], "a connection's id is a string, not an object [EW154]"],
    ["disconnect", [live.id, 1005], "close code 1005 can't be sent"],
    ["disconnect", ["nobody", 1000, "x".repeat(124)], "close reason is 124 bytes"],
  ];
  for (const [method, args, message] of wrong) {
    expect(() => (live.room[method] as (...all: unknown[]) => unknown)(...args)).toThrow(message);
    await expect((server.room("r")[method] as (...all: unknown[]) => Promise<unknown>)(...args)).rejects.toThrow(message);
  }
  expect([socket.sent, socket.calls, live.phase]).toEqual([[], [], "open"]);
});

test("delete closes everyone, and erases values, histories and the alarm, at once", async () => {
  const stores = new Map<string, MemoryStore>();
  const storeOf = (room: string): MemoryStore => stores.get(room) ?? (stores.set(room, new MemoryStore()), storeOf(room));
  const alarm = vi.fn();
  const { server, clock, join } = serve({ history: { h: { seconds: 60 } }, alarm }, { store: storeOf });
  const [one, two, other] = [join(), join(), join("other")];
  for (const { live } of [one, other]) {
    await live.room.storage.set("a", 1);
    live.room.publish("h", "kept");
    live.room.setAlarm(1000);
  }
  const before = kept(storeOf("other"));
  expect(before.map((key) => key.slice(0, 6))).toEqual(["alarm", "histor", "histor", "histor", "value:"]);
  const { position } = one.live.room.history("h");
  const deleted = one.live.room.delete();
  // Nothing has to be waited for.
  expect([kept(storeOf("r")), kept(storeOf("other"))]).toEqual([[], before]);
  expect(await deleted).toBe(2);
  expect([one.socket.calls, two.socket.calls, other.socket.calls]).toEqual([["close 1000"], ["close 1000"], []]);
  const room = server.room("r");
  expect(await room.history("h", { after: position })).toMatchObject({ entries: [], complete: false });
  clock.advance(2000);
  expect(alarm.mock.calls.map(([rung]) => (rung as LocalRoom).name)).toEqual(["other"]);
  expect(await room.delete()).toBe(0);
});

test("what the presence hook writes for those who are closed is erased, and what close hooks write stays", async () => {
  const { server, join } = serve({
    history: { h: {} },
    presence: (room) => void room.publish("h", "left"),
    close: async ({ room }) => room.storage.set("last", "words"),
  });
  const { live } = join();
  live.present("ada");
  await live.room.delete();
  const room = server.room("r");
  expect((await room.history("h")).entries).toEqual([]);
  await live.ended(1000, "");
  expect(await live.room.storage.list()).toEqual(new Map([["last", "words"]]));
});

test("the state of a connection goes when it has ended, and its close hook still has it", async () => {
  const store = new MemoryStore();
  const state = { text: "x".repeat(20_000) };
  const seen: unknown[] = [];
  const { join } = serve({ close: (connection) => void seen.push(connection.state) }, { store: () => store });
  const { live } = join("r", state);
  expect(kept(store)).toEqual([`state:${live.id}`]);
  // As if read from storage, as it is after an eviction.
  await live.room.delete();
  await live.ended(1000, "");
  expect([seen, kept(store)]).toEqual([[state], []]);
});

test("all is erased or nothing: a store that fails rejects, and the next time erases", async () => {
  const store = new MemoryStore();
  const { join } = serve({ history: { h: {} }, alarm() {} }, { store: () => store });
  const { live } = join();
  await live.room.storage.set("a", 1);
  live.room.publish("h", "kept");
  live.room.setAlarm(1000);
  const before = kept(store);
  const clear = vi.spyOn(store, "clear").mockImplementation((prefix) => {
    if (prefix === "alarm") throw new Error("disk");
    MemoryStore.prototype.clear.call(store, prefix);
  });
  await expect(live.room.delete()).rejects.toThrow("disk");
  expect(kept(store)).toEqual(before);
  expect(live.room.history("h").entries).toHaveLength(1);
  clear.mockRestore();
  await live.room.delete();
  expect(kept(store)).toEqual([]);
});

test("an update that pends can't write back what was erased; what is asked for afterwards is kept", async () => {
  const { join } = serve();
  const { storage } = join().live.room;
  const { room } = join().live;
  await storage.set("n", 1);
  const gate = Promise.withResolvers<number>();
  const update = storage.update<number>("n", () => gate.promise);
  await settle();
  const deleted = room.delete();
  const after = storage.set("new", 1);
  gate.resolve(2);
  await Promise.all([update, deleted, after]);
  expect(await storage.list()).toEqual(new Map([["new", 1]]));
});

test("with the option `storage` it waits for the answer, and rejects with its error", async () => {
  const values = new Map([["a", "1"]]);
  let failing = true;
  const storage: RoomValues = {
    get: (key) => values.get(key),
    set: (key, value) => void values.set(key, value),
    delete: (key) => values.delete(key),
    list: () => values,
    async clear() {
      await settle();
      if (failing) throw new Error("far away");
      values.clear();
    },
  };
  const { join } = serve({}, { storage: () => storage });
  const { room } = join().live;
  await expect(room.delete()).rejects.toThrow("far away");
  failing = false;
  expect(await room.delete()).toBe(0);
  expect(values.size).toBe(0);
});

test("inside a publish delete is an error, and nothing happens", async () => {
  let pending: Promise<number> | undefined;
  const { join } = serve({
    history: {
      h: {
        encode({ data }) {
          pending ??= one.live.room.delete();
          pending.catch(() => {});
          return data;
        },
      },
    },
  });
  const one = join();
  one.live.room.publish("h", "x");
  await expect(pending).rejects.toThrow("delete must not be called while a message is being published");
  expect([one.live.phase, one.live.room.history("h").entries.length]).toEqual(["open", 1]);
});

test("rows that no connection owns any more are erased too", async () => {
  const store = new MemoryStore();
  const { server, join } = serve({}, { store: () => store });
  const { live } = join("r", "x".repeat(20_000));
  const removal = vi.spyOn(store, "delete").mockImplementation(() => {
    throw new Error("disk");
  });
  const report = vi.spyOn(console, "error").mockImplementation(() => {});
  await live.ended(1000, "");
  await settle();
  report.mockRestore();
  expect(kept(store)).toHaveLength(1);
  removal.mockRestore();
  await server.room("r").delete();
  expect(kept(store)).toEqual([]);
});

test("broadcast of a server reaches everyone in every room, once", async () => {
  const { server, join } = serve();
  const all = [join(), join(), join("other"), join("third")];
  const { broadcast } = serverRooms(() => server);
  expect(await broadcast("all")).toBe(4);
  expect(await broadcast("some", { except: [all[0]?.live.id ?? "", all[3]?.live.id ?? ""] })).toBe(2);
  all[1]?.live.close();
  expect(await broadcast("rest")).toBe(3);
  expect(all.map(({ socket }) => socket.sent)).toEqual([
    ["all", "rest"],
    ["all", "some"],
    ["all", "some", "rest"],
    ["all", "rest"],
  ]);
  await expect(broadcast(7 as never)).rejects.toThrow(TypeError);
  await expect(broadcast("x", { except: 7 as never })).rejects.toThrow(TypeError);
  expect(await serverRooms(() => serve().server).broadcast("nobody")).toBe(0);
});

test("a server's rooms by name: with connections, a value, a history or an alarm, in the order of their UTF-8", async () => {
  const { server, join } = serve({ history: { h: {} }, alarm() {} });
  const { roomNames } = serverRooms(() => server);
  expect(await roomNames()).toEqual([]);
  join("b");
  join("b");
  await server.localRoom("a\u{1f600}").storage.set("k", 1);
  server.localRoom("a\uff5e").publish("h", "kept");
  server.localRoom("a").setAlarm(1000);
  // They leave nothing behind.
  server.localRoom("none").history("h");
  await server.localRoom("none").storage.get("k");
  await server.room("none").publish("t", "x");
  expect(await roomNames()).toEqual(["a", "a\uff5e", "a\u{1f600}", "b"]);
  expect(await roomNames({ after: "a", limit: 2 })).toEqual(["a\uff5e", "a\u{1f600}"]);
  expect(await roomNames({ after: "b" })).toEqual([]);
  for (const name of ["a", "a\uff5e", "a\u{1f600}"]) await server.room(name).delete();
  expect(await roomNames({ after: "" })).toEqual(["b"]);
});

test("a thousand names at most", async () => {
  const { server } = serve();
  const { roomNames } = serverRooms(() => server);
  const names = Array.from({ length: 2500 }, (_, index) => `room ${String(index).padStart(4, "0")}`);
  for (const name of names.toReversed()) await server.localRoom(name).storage.set("k", 1);
  const found: string[] = [];
  for (let page = await roomNames(); page.length > 0; page = await roomNames({ after: page.at(-1) ?? "" })) {
    expect(page.length).toBeLessThanOrEqual(1000);
    found.push(...page);
  }
  expect(found).toEqual(names);
  for (const limit of [0, 1001, 1.5, "1"]) await expect(roomNames({ limit: limit as never })).rejects.toThrow(RangeError);
  for (const after of [7, "\ud800", "x".repeat(513)]) await expect(roomNames({ after: after as never })).rejects.toThrow(TypeError);
});

test("mounted handlers: broadcast reaches all, the rest needs one", async () => {
  const [one, two] = [defineHandler({}), defineHandler({})];
  const runtime = { name: "fake", registry: RoomRegistry, clock: new FakeClock() };
  const join = (mounted: MountedHandlers, handler: typeof one, room: string): FakeSocket => {
    const socket = new FakeSocket();
    mounted.server(handler).open(socket, { snapshot: snapshot({ room }) });
    return socket;
  };
  const app = new MountedHandlers(runtime, { fetch: () => new Response() });
  const sockets = [join(app, one, "a"), join(app, two, "b")];
  expect(await app.broadcast("all")).toBe(2);
  expect(sockets.map(({ sent }) => sent)).toEqual([["all"], ["all"]]);
  await expect(app.broadcast(7 as never)).rejects.toThrow(TypeError);
  expect([await app.rooms(one).roomNames(), await app.rooms(two).broadcast("two")]).toEqual([["a"], 1]);
  expect(() => app.room("a")).toThrow(
    "room() needs a handler, as in serve(handler, { fetch }); for an app alone use rooms(handler).room(name) [EW637]",
  );
  await expect(app.roomNames()).rejects.toThrow("roomNames() needs a handler, as in serve(handler, { fetch })");
  const served = new MountedHandlers(runtime, { handler: one });
  join(served, one, "c");
  join(served, two, "d");
  expect(await served.exposed().roomNames()).toEqual(["c"]);
});

test("memory has them too, before and after it hibernates", async () => {
  const server = memory(defineHandler({ upgrade: (request) => ({ room: new URL(request.url).pathname }) }));
  const clients = [await server.connect("ws://localhost/a"), await server.connect("ws://localhost/b")];
  await expect((server.room("/c") as Room).call("nothing")).rejects.toThrow("no calls");
  for (const round of ["before", "after"]) {
    expect([await server.broadcast(round), await server.roomNames()]).toEqual([2, ["/a", "/b"]]);
    for (const client of clients) expect(await client.next()).toBe(round);
    await server.hibernate();
  }
});

test("a room in which nothing is kept takes no memory, and one that is erased is as one that never was", async () => {
  const { server } = serve({ history: { h: {} }, alarm() {} });
  const registry = server.needRooms("test");
  const room = server.localRoom("r");
  const use = async (storage: RoomStorage): Promise<void> => {
    await storage.set("a", 1);
    await storage.update("a", () => 2);
    room.publish("h", "kept");
    room.setAlarm(1000);
  };
  await use(room.storage);
  expect(new Set(registry.names("", 1000))).toEqual(new Set(["r"]));
  await room.delete();
  expect([...registry.names("", 1000)]).toEqual([]);
  expect(registry.pendingStorage).toEqual([]);
});
