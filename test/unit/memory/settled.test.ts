/** `server.settled()`: it waits for everything that is under way, and for nothing else. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { z } from "zod";
import { fakeClock, memory } from "../../../adapters/memory/index.ts";
import { sqlite } from "../../../adapters/sqlite/index.ts";
import { defineHandler } from "../../../src/index.ts";
import type { DefinedHandler } from "../../../src/handler/define.ts";
import { defineMessages, messageClient, messageHandler } from "../../../src/messages/index.ts";

afterEach(() => void vi.useRealTimers());

/** Long enough that nothing could have waited for it by chance. */
const later = (then: () => void = () => {}): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20)).then(then);

/** What `settled` must have waited for: each handler calls `done` in the end. */
const works: Record<string, (done: () => void) => DefinedHandler> = {
  "a message hook": (done) => defineHandler({ message: () => later(done) }),
  "one hook after the other": (done) => defineHandler({ open: () => later(), message: () => later(done) }),
  "an upgrade hook": (done) => defineHandler({ upgrade: () => later(done) }),
  "a room's open hook": (done) => defineHandler({ room: { open: () => later(done) } }),
  "a close hook, and then the room's empty hook": (done) =>
    defineHandler({ message: (connection) => connection.close(), close: () => later(), room: { empty: () => later(done) } }),
  "a presence hook": (done) => defineHandler({ message: (connection) => connection.present("ada"), presence: () => later(done) }),
  "an error hook": (done) =>
    defineHandler({
      message() {
        throw new Error("on purpose");
      },
      error: () => later(done),
    }),
  waitUntil: (done) => defineHandler({ message: (connection) => connection.waitUntil(later(done)) }),
  "a thenable that starts when it is asked": (done) => {
    let started = 0;
    const then = (resolve: () => void): void =>
      void later(() => {
        if (++started === 1) done();
        resolve();
      });
    // oxlint-disable-next-line unicorn/no-thenable -- a query builder's, for example
    const lazy = { then };
    return defineHandler({ message: () => lazy as unknown as Promise<void> });
  },
  "an update of room.storage": (done) =>
    defineHandler({
      message({ room }) {
        void room.storage.update("key", async () => later(done));
      },
    }),
  "a call": (done) =>
    defineHandler({
      message: ({ rooms }) => void rooms.room("other").call("work"),
      calls: { work: () => later(done) },
    }),
  "a scheduled call that is due": (done) =>
    defineHandler({ message: ({ room }) => void room.schedule(Date.now(), "work"), calls: { work: () => later(done) } }),
  "an alarm that is due": (done) => defineHandler({ message: ({ room }) => room.setAlarm(Date.now()), alarm: () => later(done) }),
  "a request of typed messages": (done) => defineHandler(requests(() => later(done).then(() => "done"))),
};

const messages = defineMessages({ requests: { work: { payload: z.string(), result: z.string() } } });
const requests = (work: () => Promise<string>) => messageHandler(messages, { requests: { work } });

test.each(Object.keys(works))("it waits for %s", async (name) => {
  const done = vi.fn();
  const server = memory(works[name]!(done));
  const socket = new server.WebSocket("ws://localhost/");
  socket.onopen = () => socket.send(JSON.stringify({ type: "request", id: 1, name: "work", payload: "" }));
  await server.settled();
  expect(done).toHaveBeenCalledOnce();
});

test("it waits for a rule for origins", async () => {
  const server = memory(defineHandler({ origins: () => later().then(() => true) }));
  const connected = vi.fn();
  void server.connect("ws://localhost/", { headers: { origin: "https://elsewhere.example" } }).then(connected);
  await server.settled();
  expect(connected).toHaveBeenCalledOnce();
});

test("it waits for messages in both directions, and for what they bring about", async () => {
  const server = memory(
    defineHandler({
      open: (connection) => connection.subscribe("all"),
      async message({ room }, data) {
        const left = Number(data);
        await Promise.resolve();
        if (left > 0) room.publish("all", String(left - 1));
      },
    }),
  );
  const clients = await Promise.all([server.connect(), server.connect()]);
  const seen: unknown[] = [];
  for (const client of clients)
    client.onmessage = async ({ data }) => {
      seen.push(data);
      // A client's own work is not the server's: but what it sends a few promises later is.
      for (let turn = 0; turn < 50; turn++) await Promise.resolve();
      if (client === clients[0]) client.send(data as string);
    };
  clients[0].send("50");
  await server.settled();
  expect(seen).toHaveLength(100);
  expect(seen.at(-1)).toBe("0");
  const close = vi.fn();
  clients[1].onclose = close;
  void clients[1].close(1000);
  await server.settled();
  expect(close).toHaveBeenCalledOnce();
});

test("a Blob that is being read is on its way", async () => {
  const got: unknown[] = [];
  const server = memory(defineHandler({ message: (_, data) => void got.push(data) }));
  const client = await server.connect();
  client.send(new Blob([new Uint8Array([7])]));
  client.send("after");
  await server.settled();
  expect(got).toEqual([new Uint8Array([7]), "after"]);
});

test("with a file, what was written is stored, and who waits for it is answered", async () => {
  const server = memory(
    defineHandler({
      async message(connection, data) {
        await connection.room.storage.set("last", String(data));
        connection.send("stored");
      },
    }),
    { storage: sqlite(join(await mkdtemp(join(tmpdir(), "edgewire-")), "rooms.db")) },
  );
  const client = await server.connect();
  const seen: unknown[] = [];
  client.onmessage = ({ data }) => seen.push(data);
  client.send("one");
  await server.settled();
  expect(seen).toEqual(["stored"]);
  await server.hibernate();
  client.send("two");
  await server.settled();
  expect(seen).toEqual(["stored", "stored"]);
  await server.close();
});

test("it does not wait for a paused client, an alarm, a deadline or an expiry to come, or an application's interval", async () => {
  const interval = setInterval(() => {}, 1);
  const server = memory(
    defineHandler({
      upgrade: () => ({ expiresAt: Date.now() + 60_000 }),
      open: ({ room }) => room.setAlarm(Date.now() + 60_000),
      message: (connection, data) => void connection.send(data),
      alarm: () => {},
      calls: { work: () => {} },
    }),
  );
  const client = await server.connect();
  client.pause();
  client.send("x");
  await server.room("default").schedule(Date.now() + 60_000, "work");
  await server.room("default").call("work");
  await server.settled();
  client.resume();
  expect(await client.next()).toBe("x");
  clearInterval(interval);
});

test("at the deadline it says what it waits for", async () => {
  const never = new Promise<void>(() => {});
  const server = memory(
    defineHandler({
      upgrade: (request) => (request.url.endsWith("/slow") ? never : undefined),
      message: (connection, data) => {
        // It is given up after 10 seconds, when the test is long over.
        if (data === "storage") void connection.room.storage.update("key", async () => never).catch(() => {});
        else if (data === "wait") connection.waitUntil(never);
        else return never;
      },
      calls: { vote: () => never },
    }),
  );
  const deadline = { deadline: 30 };
  const client = await server.connect();
  client.send("storage");
  await expect(server.settled(deadline)).rejects.toThrow("not settled within 30 ms: it waits for room.storage");
  client.send("message");
  const other = await server.connect();
  other.send("message");
  new server.WebSocket("/slow").onerror = () => {};
  void server
    .room("tea")
    .call("vote")
    .catch(() => {});
  await expect(server.settled(deadline)).rejects.toThrow(
    'not settled within 30 ms: it waits for the message hook in room "default" (2 times), the call "vote" in room "tea", the upgrade hook for "http://localhost/slow", the handshake for ws://localhost/slow [EW818]',
  );
});

test("it gives up a conversation that never ends", async () => {
  const server = memory(defineHandler({ message: (connection, data) => void connection.send(data) }));
  const client = await server.connect();
  client.onmessage = ({ data }) => client.send(data as string);
  client.send("ping");
  await expect(server.settled({ deadline: 50 })).rejects.toThrow(/not settled within 50 ms: it waits for .*messages/);
  client.terminate();
});

test("inside a hook it is refused by name, and so is a clock's advance", async () => {
  const clock = fakeClock();
  const errors: string[] = [];
  const note = (error: Error): void => void errors.push(error.message);
  const server = memory(
    defineHandler({
      message: () => void server.settled().catch(note),
      room: { open: () => void clock.advance(1).catch(note) },
      calls: { now: () => void clock.advanceTo(clock.now()).catch(note) },
    }),
    { clock },
  );
  const client = await server.connect();
  client.send("x");
  await server.room("tea").call("now");
  await server.settled();
  expect(errors).toEqual([
    'advance was called inside the room.open hook in room "default", and would wait for itself: call it in the test [EW806]',
    'settled() was called inside the message hook in room "default", and would wait for itself: call it in the test [EW817]',
    'advanceTo was called inside the call "now" in room "tea", and would wait for itself: call it in the test [EW806]',
  ]);
});

test("a hook is called on the handler's own object, whatever that is", async () => {
  class Counting {
    #count = 0;
    readonly room = {
      open(): void {
        expect(Object.keys(this)).toEqual(["open"]);
      },
    };
    calls = {
      own: function (this: object) {
        return Object.keys(this);
      },
    };
    message(connection: { send(data: string): unknown }): void {
      connection.send(`${++this.#count}`);
    }
  }
  const handler = new Counting();
  // Methods of a class are not enumerable, and `defineHandler` looks for what is.
  Object.defineProperty(handler, "message", { value: handler.message.bind(handler), enumerable: true });
  const server = memory(defineHandler(handler));
  const client = await server.connect();
  client.send("x");
  expect(await client.next()).toBe("1");
  expect(await server.room("default").call("own")).toEqual(["own"]);
  await expect(server.room("default").call("toString" as "own")).rejects.toThrow("there is no such call");
});

test("wrong options are refused by name", async () => {
  const handler = defineHandler({});
  expect(() => memory(handler, { clok: 1 } as object)).toThrow(
    'memory: unknown option "clok": options are env, clock, storage, backplane [EW105]',
  );
  expect(() => memory(handler, { clock: { now: () => 0 } as never })).toThrow(
    'memory: option "clock" must be a clock, such as fakeClock(): it needs the methods setTimeout, clearTimeout, now, and has no setTimeout [EW811]',
  );
  expect(() => memory(handler, { env: 1 as never })).toThrow('memory: option "env" must be an object, not 1 [EW810]');
  const server = memory(handler);
  await expect(server.settled({ dealine: 1 } as object)).rejects.toThrow(
    'settled: unknown option "dealine": the option is deadline [EW105]',
  );
  await expect(server.settled({ deadline: 0 })).rejects.toThrow(
    'option "deadline" is 0: must be a whole number from 1 to 2147483647 [EW152]',
  );
  await expect(server.connect("/", { cookies: "" } as object)).rejects.toThrow(
    'connect: unknown option "cookies": options are headers, protocols, remoteAddress, vars [EW105]',
  );
  await expect(server.connect("ws://x/", { protocols: "chat" as never })).rejects.toThrow(
    'connect: option "protocols" must be an array of strings, not "chat" [EW812]',
  );
});

test("under fake timers it settles too: what they hold back is the test's to move", async () => {
  vi.useFakeTimers();
  const alarm = vi.fn();
  const server = memory(defineHandler({ message: ({ room }) => room.setAlarm(Date.now()), alarm: () => alarm() }));
  const client = await server.connect();
  client.send("x");
  await server.settled();
  expect(alarm).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(0);
  expect(alarm).toHaveBeenCalledOnce();
});

test("with a file, fake timers that leave setImmediate alone", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date", "performance"] });
  const server = memory(
    defineHandler({
      async message(connection, data) {
        await connection.room.storage.set("last", String(data));
        connection.send("stored");
        connection.room.setAlarm(Date.now() + 1000);
      },
      alarm: (room) => void room.broadcast("alarm"),
    }),
    { storage: sqlite(join(await mkdtemp(join(tmpdir(), "edgewire-")), "rooms.db")) },
  );
  const client = await server.connect();
  client.send("one");
  await server.settled();
  expect(await client.next()).toBe("stored");
  await vi.advanceTimersByTimeAsync(1000);
  await server.settled();
  expect(await client.next()).toBe("alarm");
});

test("a request over messageClient has its answer", async () => {
  const server = memory(defineHandler(requests(() => later().then(() => "tea"))));
  const client = messageClient(messages, new server.WebSocket("/", messages.protocols));
  const answered = vi.fn();
  await new Promise((resolve) => setTimeout(resolve, 5));
  void client.request("work", "").then(answered);
  await server.settled();
  expect(answered).toHaveBeenCalledWith("tea");
});
