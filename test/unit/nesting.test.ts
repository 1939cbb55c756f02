/**
 * Whatever hooks do inside hooks: publish, close, terminate, subscribe, present, with clients that do not read. Messages stay in order, positions are
 * given once, counts are exact, every change of presence is told, and no connection is left half ended.
 */
import * as fc from "fast-check";
import { expect, test, vi } from "vitest";
import { RoomRegistry } from "../../src/rooms/registry.ts";
import { defineHandler } from "../../src/handler/define.ts";
import { Server } from "../../src/server/server.ts";
import type { Connection as CoreConnection } from "../../src/connection/connection.ts";
import type { Connection, Handler, LocalRoom, PresenceDiff, Sendable, SendResult } from "../../src/index.ts";
import { FakeClock, FakeSocket, settle, snapshot } from "./fake.ts";

/** It takes so many bytes, and then its client reads no more. */
class Reader extends FakeSocket {
  readonly #takes: number;

  constructor(takes: number) {
    super();
    this.#takes = takes;
  }

  override send(data: Sendable): SendResult {
    const size = (data as string).length;
    const read = this.sent.reduce((sum: number, one) => sum + (one as string).length, 0);
    if (read + size > this.#takes) this.buffered = (this.buffered ?? 0) + size;
    return super.send(data);
  }
}

interface World {
  readonly server: Server;
  readonly clock: FakeClock;
  readonly errors: string[];
  join(takes?: number): { live: CoreConnection; socket: Reader };
}

function world(handler: Handler): World {
  const errors: string[] = [];
  const clock = new FakeClock();
  const defined = defineHandler({
    heartbeat: false,
    maxBuffered: 200,
    highWaterMark: 100,
    error: (error, { hook }) => void errors.push(`${hook}: ${(error as Error).message}`),
    ...handler,
  });
  const server = new Server(defined, { name: "fake", registry: RoomRegistry, clock });
  const join: World["join"] = (takes = Number.POSITIVE_INFINITY) => {
    const socket = new Reader(takes);
    return { socket, live: server.begin(socket, { snapshot: snapshot() }) };
  };
  return { server, clock, errors, join };
}

const big = (name: string): string => name + "-".repeat(90);
const names = (socket: FakeSocket): string[] => socket.sent.map((data) => (data as string).replaceAll("-", ""));

test("who is closed in the middle of a publish is told of after it: everyone has both messages in their order", () => {
  const { join } = world({
    open: (connection) => (connection.subscribe("news"), connection.present(connection.id)),
    presence: (room, { left }) => left.forEach(() => void room.publish("news", "left")),
  });
  const [first, , last] = [join(), join(0), join()];
  for (const name of ["m1", "m2", "m3", "m4"]) first.live.room.publish("news", big(name));
  expect(names(first.socket)).toEqual(["m1", "m2", "m3", "left", "m4"]);
  expect(names(last.socket)).toEqual(names(first.socket));
});

test("with histories too: positions are given once, and what is read after any of them is complete", () => {
  const { join } = world({
    history: { one: {}, two: {} },
    open: (connection) => (connection.subscribe("one"), connection.subscribe("two"), connection.present(connection.id)),
    presence: (room, { left }) => left.forEach(() => void room.publish("two", "left")),
  });
  const { live } = join();
  join(0);
  for (const name of ["m1", "m2", "m3", "m4"]) live.room.publish(["one", "two"], big(name));
  const { entries, position } = live.room.history("two");
  expect(entries.map(({ data }) => (data as string).replaceAll("-", ""))).toEqual(["m1", "m2", "m3", "left", "m4"]);
  for (const [index, entry] of entries.entries()) {
    const after = live.room.history("two", { after: entry.position });
    expect(after).toMatchObject({ complete: true, position, entries: entries.slice(index + 1) });
  }
});

test("a thousand slow consumers are closed one after the other, not one inside the other", () => {
  let depth = 0;
  let deepest = 0;
  const close = vi.fn();
  const { join, server, clock, errors } = world({
    open: (connection) => (connection.subscribe("presence"), connection.present(connection.id)),
    presence(room, diff) {
      deepest = Math.max(deepest, ++depth);
      if (diff.left.length > 0) room.publish("presence", big("left"));
      depth--;
    },
    close,
  });
  const sockets = Array.from({ length: 1000 }, () => join(0).socket);
  const { live } = join();
  live.room.publish("presence", big("a"));
  live.room.publish("presence", big("b"));
  expect(live.room.publish("presence", big("c"))).toBe(1);
  expect(deepest).toBe(1);
  expect(errors).toEqual([]);
  expect(live.room.count()).toBe(1);
  for (const socket of sockets) expect(socket.calls).toEqual(["close 1013 Slow consumer"]);
  clock.advance(10_000);
  expect(close).toHaveBeenCalledTimes(1000);
  expect(server.stats()).toMatchObject({ open: 1, closed: { 1013: 1000 } });
});

test("close hooks that terminate others run one after the other", async () => {
  let depth = 0;
  let deepest = 0;
  const closed: string[] = [];
  const { join, server } = world({
    close(connection) {
      deepest = Math.max(deepest, ++depth);
      closed.push(connection.id);
      const [next] = connection.room.peers();
      next?.terminate();
      depth--;
    },
  });
  const all = Array.from({ length: 3000 }, () => join().live);
  all[0]?.terminate();
  await settle();
  expect(deepest).toBe(1);
  expect(closed).toEqual(all.map(({ id }) => id));
  expect(server.stats()).toMatchObject({ open: 0, closed: { 1006: 3000 } });
});

test("a presence hook that makes a change for each that it is told is stopped, and told so", () => {
  let changes = 0;
  const { join, errors } = world({
    presence: (room) => {
      for (const peer of room.peers()) peer.present("member", { change: changes++ });
    },
  });
  join().live.present("member");
  expect(errors.length).toBeGreaterThan(0);
  for (const error of errors) expect(error).toContain("present was called inside the presence hook that it triggers, 1000 times");
  expect(changes).toBeLessThan(1100);
});

test("an observer can't publish in the middle of a publish, and what it ends is over at its end", async () => {
  const logged = vi.spyOn(console, "error").mockImplementation(() => {});
  const order: string[] = [];
  let terminates = true;
  const { join } = world({
    open: (connection) => connection.subscribe("news"),
    observe: {
      sent(connection) {
        order.push("sent");
        if (terminates) connection.terminate();
        connection.room.publish("news", "again");
      },
    },
    close: (connection) => void order.push(`closed, ${connection.room.count()} left`),
  });
  const [one, other] = [join(), join()];
  expect(one.live.room.publish("news", "m")).toBe(2);
  await settle();
  expect(order).toEqual(["sent", "sent", "closed, 0 left", "closed, 0 left"]);
  expect(String(logged.mock.calls[0]?.[1])).toContain("publish must not be called while a message is being published");
  expect([names(one.socket), names(other.socket)]).toEqual([["m"], ["m"]]);
  terminates = false;
  logged.mockRestore();
});

test("a socket that throws when it is closed is closed again, and its connection is over in the end", async () => {
  const close = vi.fn();
  const { join, clock, errors, server } = world({ close });
  const { live, socket } = join();
  const before = socket.close.bind(socket);
  socket.close = () => {
    socket.close = before;
    throw new RangeError("Maximum call stack size exceeded");
  };
  live.close(4000, "bye");
  expect(live.phase).toBe("closing");
  expect(errors).toEqual(["close: Maximum call stack size exceeded"]);
  clock.advance(0);
  expect(socket.calls).toEqual(["close 4000 bye"]);
  clock.advance(10_000);
  expect(close).toHaveBeenCalledTimes(1);
  expect(server.stats()).toMatchObject({ open: 0, closed: { 4000: 1 } });
});

test("a connection that is closed at the end of the stack is closed", async () => {
  const close = vi.fn();
  let live: CoreConnection | undefined;
  const fall = (end: () => void): void => {
    try {
      fall(end);
    } finally {
      // At every depth, from the last on: some call of these has no stack for the half of what it does.
      end();
    }
  };
  for (const end of ["close", "terminate"] as const) {
    const { join, clock, server } = world({
      presence: () => {},
      close,
      message: () => fall(() => live?.[end]()),
    });
    close.mockClear();
    live = join().live;
    live.present("member");
    void live.message("fall");
    await settle();
    clock.advance(0);
    clock.advance(10_000);
    await settle();
    expect(close).toHaveBeenCalledTimes(1);
    expect(server.stats().open).toBe(0);
    expect(live.room.presence()).toEqual([]);
    expect([...server.connections()]).toEqual([]);
  }
});

// What a hook may do, by numbers that say to whom.
type Act =
  | { readonly do: "publish"; readonly topics: readonly number[]; readonly size: number }
  | { readonly do: "broadcast"; readonly size: number }
  | { readonly do: "close" | "terminate" | "subscribe" | "unsubscribe" | "absent"; readonly who: number; readonly topic: number }
  | { readonly do: "present"; readonly who: number; readonly member: number; readonly state: number };

const topics = ["a", "b", "kept", "kept too"];
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("publish"), topics: fc.array(fc.nat(3), { minLength: 1, maxLength: 3 }), size: fc.nat(120) }),
  },
  fc.record({ do: fc.constant("broadcast"), size: fc.nat(120) }),
  fc.record({ do: fc.constantFrom("close", "terminate", "subscribe", "unsubscribe", "absent"), who: fc.nat(9), topic: fc.nat(3) }),
  fc.record({ do: fc.constant("present"), who: fc.nat(9), member: fc.nat(2), state: fc.nat(2) }),
) as fc.Arbitrary<Act>;

/** The first so many calls of each hook do one of these each. */
const plan = fc.record({
  readers: fc.array(fc.constantFrom(0, 150, 400, Number.POSITIVE_INFINITY), { minLength: 2, maxLength: 8 }),
  presence: fc.array(fc.array(act, { maxLength: 3 }), { maxLength: 12 }),
  close: fc.array(fc.array(act, { maxLength: 3 }), { maxLength: 6 }),
  outside: fc.array(act, { minLength: 1, maxLength: 20 }),
  ...Object.fromEntries(["slowConsumer"].map((name) => [name, fc.constantFrom("close" as const, "drop" as const)])),
});

test("any nesting: order, positions, counts, presence and ends are what they would be one after the other", async () => {
  await fc.assert(
    fc.asyncProperty(plan, async (given) => {
      const script = given as typeof given & { readonly slowConsumer: "close" | "drop" };
      let number = 0;
      /** Every publish that returned: to whom it must have gone, in the order in which they were made. */
      const published = new Map<string, number>();
      const lives: CoreConnection[] = [];
      const told = new Map<string, PresenceDiff["joined"][number]>();
      const closed = new Map<string, number>();
      let inHook = 0;
      const perform = (room: LocalRoom, one: Act): void => {
        const who = (index: number): Connection | undefined => lives[index % lives.length];
        switch (one.do) {
          case "publish": {
            const text = `${number++}`.padEnd(one.size, "-");
            published.set(
              text.replaceAll("-", ""),
              room.publish(
                one.topics.map((index) => topics[index] as string),
                text,
              ),
            );
            return;
          }
          case "broadcast": {
            const text = `${number++}`.padEnd(one.size, "-");
            published.set(text.replaceAll("-", ""), room.broadcast(text));
            return;
          }
          case "present":
            return who(one.who)?.present(`member ${one.member}`, one.state);
          case "absent":
            return who(one.who)?.absent();
          case "subscribe":
          case "unsubscribe":
            return who(one.who)?.[one.do](topics[one.topic] as string);
          default:
            return who(one.who)?.[one.do]();
        }
      };
      const { join, server, clock, errors } = world({
        slowConsumer: script.slowConsumer,
        history: { kept: {}, "kept too": {} },
        open: (connection) => topics.forEach((topic, index) => index % 2 === connection.room.count() % 2 && connection.subscribe(topic)),
        presence(room, { joined, left, updated }) {
          expect(inHook++, "a presence hook inside another").toBe(0);
          for (const member of [...joined, ...updated]) {
            expect(told.has(member.id)).toBe(!joined.includes(member));
            told.set(member.id, member);
          }
          for (const { id } of left) expect(told.delete(id)).toBe(true);
          for (const one of script.presence.shift() ?? []) perform(room, one);
          inHook--;
        },
        close(connection) {
          closed.set(connection.id, (closed.get(connection.id) ?? 0) + 1);
          for (const one of script.close.shift() ?? []) perform(connection.room, one);
        },
      });
      const sockets = script.readers.map((takes) => {
        const { live, socket } = join(takes);
        lives.push(live);
        return socket;
      });
      const room = lives[0]!.room;
      for (const one of script.outside) {
        perform(room, one);
        // All of it has happened when the outermost call returns.
        expect([...told.values()].sort(byId)).toEqual([...room.presence()].sort(byId));
        expect(room.count()).toBe(lives.filter(({ phase }) => phase === "open").length);
      }
      expect(errors).toEqual([]);

      const received = sockets.map((socket) => names(socket).map(Number));
      for (const numbers of received) expect(numbers).toEqual([...numbers].sort((one, other) => one - other));
      for (const [text, count] of published) {
        expect(received.filter((numbers) => numbers.includes(Number(text))).length, `takers of ${text}`).toBe(count);
      }
      for (const topic of ["kept", "kept too"]) {
        const { entries } = room.history(topic);
        expect(new Set(entries.map(({ position }) => position)).size).toBe(entries.length);
        const order = entries.map(({ data }) => Number((data as string).replaceAll("-", "")));
        expect(order).toEqual([...order].sort((one, other) => one - other));
        for (const [index, { position }] of entries.entries())
          expect(room.history(topic, { after: position })).toMatchObject({ complete: true, entries: entries.slice(index + 1) });
      }
      // Close hooks close others.
      while (clock.pending > 0) clock.advance(10_000);
      await settle();
      for (const [index, live] of lives.entries()) {
        const calls = sockets[index]!.calls;
        if (live.phase === "open") expect(calls).toEqual([]);
        else expect([live.phase, closed.get(live.id)]).toEqual(["closed", 1]);
      }
      expect(server.stats().open).toBe(lives.filter(({ phase }) => phase === "open").length);
    }),
    { numRuns: 1500 },
  );
});

function byId(one: { readonly id: string }, other: { readonly id: string }): number {
  return one.id < other.id ? -1 : 1;
}
