/** Alarms, scheduled calls and calls of a room that spans two servers in memory: each is done once, by one of them. */
import { afterEach, describe, expect, test } from "vitest";
import { defineHandler, type AlarmInfo, type LocalRoom } from "edgewire";
import { memoryBackplane, type MemoryBackplane } from "edgewire/cluster";
import { fakeClock, memory, type FakeClock, type Memory } from "edgewire/memory";
import { linked, type Link } from "./linked.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

const limits = { lease: 3000, patience: 2000, counts: 100 };

interface Scene {
  readonly clock: FakeClock;
  readonly backplane: MemoryBackplane;
  readonly servers: readonly [Memory, Memory];
  readonly links: readonly [Link, Link];
  /** What ran, with the number of its server. */
  readonly ran: string[];
  readonly errors: string[];
  /** What a hook or a call waits for, by its server. */
  readonly holds: (Promise<void> | undefined)[];
}

type Act = (room: LocalRoom, text: string) => unknown;

/** Each server has a connection to the backplane of its own, which can be cut. */
function scene(act: Act = () => {}): Scene {
  const clock = fakeClock(1_000_000);
  const backplane = memoryBackplane({ ...limits, now: () => clock.now() });
  const here = { ran: [] as string[], errors: [] as string[], holds: [] as (Promise<void> | undefined)[] };
  const links: [Link, Link] = [{ isCut: false }, { isCut: false }];
  const start = (number: number): Memory => {
    const run = async (what: string): Promise<string> => {
      here.ran.push(`${what} on ${number}`);
      await here.holds[number];
      if (what.startsWith("fail")) throw Object.assign(new Error(what), { code: "failed" });
      return `${what}!`;
    };
    const chat = defineHandler({
      message: (connection, data) => act(connection.room, String(data)) as undefined,
      alarm: async (room, { retryCount, scheduledTime }: AlarmInfo) =>
        void (await run(`alarm ${scheduledTime} ${retryCount} ${room.count()}`)),
      calls: {
        echo: (_room, text: string) => run(text),
        count: (room) => room.count(),
        self: (room) => room.rooms.room("default").call("echo", "deadlock"),
      },
      error: (error) => void here.errors.push(String(error)),
    });
    const server = memory(chat, { backplane: linked(backplane, links[number] as Link, limits), clock });
    stops.push(() => server.close({ deadline: 0 }));
    return server;
  };
  return { clock, backplane, links, servers: [start(0), start(1)], ...here };
}

const at = 1_000_000;
const roomOf = (server: Memory) => server.room("default");

/** A hook of the room on that server does it. */
async function inHook(server: Memory, text: string): Promise<void> {
  const client = await server.connect("ws://localhost/");
  client.send(text);
  await server.settled();
}

describe("an alarm", () => {
  const setAlarm: Act = (room, text) => room.setAlarm(text === "null" ? null : at + Number(text));

  test("runs once, at its time, on one of the servers, which has joined the room", async () => {
    const { clock, servers, ran } = scene(setAlarm);
    await inHook(servers[0], "5000");
    await inHook(servers[1], "6000");
    await clock.advance(5900);
    expect(ran).toEqual([]);
    await clock.advance(60_000);
    expect(ran).toEqual([expect.stringMatching(/^alarm 1006000 0 2 on [01]$/)]);
  });

  test("is deleted by null, on either server", async () => {
    const { clock, servers, ran } = scene(setAlarm);
    await inHook(servers[0], "5000");
    await inHook(servers[1], "null");
    await clock.advance(20_000);
    expect(ran).toEqual([]);
  });

  test("runs on another server if the first one dies in the middle of it", async () => {
    const { clock, servers, links, ran, holds } = scene(setAlarm);
    await inHook(servers[0], "5000");
    const { promise, resolve } = Promise.withResolvers<void>();
    stops.unshift(async () => resolve());
    holds[0] = holds[1] = promise;
    await clock.advance(6000);
    expect(ran).toHaveLength(1);
    const first = ran[0]?.endsWith("0") === true ? 0 : 1;
    holds[1 - first] = undefined;
    (links[first] as Link).isCut = true;
    await clock.advance(10_000);
    expect(ran[1]).toMatch(new RegExp(`^alarm 1005000 1 \\d on ${1 - first}$`));
    expect(ran).toHaveLength(2);
  });

  test("a run that takes longer than the lease is not repeated meanwhile", async () => {
    const { clock, servers, ran, holds } = scene(setAlarm);
    const hold = Promise.withResolvers<void>();
    holds[0] = holds[1] = hold.promise;
    await inHook(servers[0], "1000");
    await clock.advance(20_000);
    hold.resolve();
    await clock.advance(20_000);
    expect(ran).toHaveLength(1);
  });
});

describe("a scheduled call", () => {
  test("runs in the order of the times, is listed, and can be taken back anywhere", async () => {
    const { clock, servers, ran } = scene((room, text) => room.schedule(at + 3000, "echo", text));
    await inHook(servers[0], "third");
    await roomOf(servers[1]).schedule(at + 1000, "echo", "first");
    const second = await roomOf(servers[0]).schedule(at + 2000, "echo", "second");
    const listed = await roomOf(servers[1]).scheduled();
    expect(listed.map(({ time, call, args, retryCount }) => [time, call, args, retryCount])).toEqual([
      [at + 1000, "echo", ["first"], 0],
      [at + 2000, "echo", ["second"], 0],
      [at + 3000, "echo", ["third"], 0],
    ]);
    expect(await roomOf(servers[1]).unschedule(second)).toBe(true);
    expect(await roomOf(servers[0]).unschedule(second)).toBe(false);
    await clock.advance(10_000);
    expect(ran.map((text) => text.split(" ")[0])).toEqual(["first", "third"]);
    expect(await roomOf(servers[0]).scheduled()).toEqual([]);
  });

  test("that fails runs again after 2, 4, 8, 16, 32 and 64 seconds, then no more", async () => {
    const { clock, servers, ran, errors } = scene();
    await roomOf(servers[0]).schedule(at, "echo", "fails");
    await clock.advance(1500);
    expect([ran.length, (await roomOf(servers[1]).scheduled())[0]?.retryCount]).toEqual([1, 1]);
    await clock.advance(200_000);
    expect([ran.length, errors.length]).toEqual([7, 7]);
    expect(await roomOf(servers[1]).scheduled()).toEqual([]);
  });

  test("a hook can't list them, and is told who can", async () => {
    const { servers, errors } = scene((room, text) => (text === "list" ? room.scheduled() : room.unschedule("id")));
    await inHook(servers[0], "list");
    await inHook(servers[0], "take");
    expect(errors).toEqual([expect.stringContaining('room.rooms.room("default").scheduled'), expect.stringContaining(".unschedule")]);
  });
});

describe("a call", () => {
  test("runs once, on one of the servers, and the caller gets the result or the error with its code", async () => {
    const { servers, ran } = scene();
    expect(await roomOf(servers[0]).call("echo", "hello")).toBe("hello!");
    expect(await roomOf(servers[1]).call("echo", "hello")).toBe("hello!");
    await expect(roomOf(servers[1]).call("echo", "fails")).rejects.toMatchObject({ message: "fails", code: "failed" });
    await expect(roomOf(servers[1]).call("nothing")).rejects.toMatchObject({ code: "unknown_call" });
    await expect(roomOf(servers[1]).call("self")).rejects.toMatchObject({ code: "deadlock" });
    expect(ran).toHaveLength(3);
  });

  test("counts the connections of all servers", async () => {
    const { clock, servers } = scene();
    await servers[0].connect("ws://localhost/");
    await clock.advance(200);
    expect(await roomOf(servers[1]).call("count")).toBe(1);
  });

  test("waits for those before it, from whichever server: one runs at a time", async () => {
    const { clock, servers, ran, holds } = scene();
    const hold = Promise.withResolvers<void>();
    holds[0] = hold.promise;
    const calls = [roomOf(servers[0]).call("echo", "0")];
    await clock.advance(100);
    for (let number = 1; number < 6; number++) {
      calls.push(roomOf(servers[(number % 2) as 0 | 1]).call("echo", String(number)));
      await clock.advance(10);
    }
    expect(ran).toEqual(["0 on 0"]);
    hold.resolve();
    expect(await Promise.all(calls)).toEqual(["0!", "1!", "2!", "3!", "4!", "5!"]);
    expect(ran.map((text) => text[0])).toEqual(["0", "1", "2", "3", "4", "5"]);
  });

  test("ends as interrupted if the server that runs it dies, and is not repeated", async () => {
    const { clock, servers, links, ran, holds } = scene();
    const { promise, resolve } = Promise.withResolvers<void>();
    stops.unshift(async () => resolve());
    holds[0] = promise;
    roomOf(servers[0])
      .call("echo", "holds the lane")
      .catch(() => {});
    await clock.advance(100);
    const call = roomOf(servers[1]).call("echo", "waits");
    await clock.advance(100);
    holds[0] = undefined;
    resolve();
    expect(await call).toBe("waits!");
    // It runs where the lane is.
    expect(ran.at(-1)).toBe("waits on 0");
    const { promise: second, resolve: end } = Promise.withResolvers<void>();
    stops.unshift(async () => end());
    holds[0] = second;
    roomOf(servers[0])
      .call("echo", "holds the lane")
      .catch(() => {});
    await clock.advance(100);
    const gaveUp = roomOf(servers[1])
      .call("echo", "never")
      .catch((error: unknown) => error);
    links[0].isCut = true;
    await clock.advance(5000);
    expect(await gaveUp).toBe("never!");
    expect(ran.at(-1)).toBe("never on 1");
  });

  test("of a server that dies while it runs on another is interrupted there, too", async () => {
    const { clock, servers, links, ran, holds } = scene();
    const gate = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    for (const { resolve } of gate) stops.unshift(async () => resolve());
    holds[0] = gate[0].promise;
    roomOf(servers[0])
      .call("echo", "first")
      .catch(() => {});
    await clock.advance(100);
    const call = roomOf(servers[1])
      .call("echo", "second")
      .catch((error: unknown) => error);
    await clock.advance(100);
    holds[0] = gate[1].promise;
    gate[0].resolve();
    await clock.advance(100);
    expect(ran.at(-1)).toBe("second on 0");
    links[0].isCut = true;
    await clock.advance(6000);
    expect(await call).toMatchObject({ code: "interrupted" });
    expect(ran).toHaveLength(2);
  });

  test("has its deadline, wherever it runs or waits, and whether or not the backplane answers", async () => {
    const { clock, servers, links, holds } = scene();
    const { promise, resolve } = Promise.withResolvers<void>();
    stops.unshift(async () => resolve());
    holds[0] = holds[1] = promise;
    const runs = servers[0]
      .room("default", { deadline: 1000 })
      .call("echo", "runs")
      .catch((error: unknown) => error);
    await clock.advance(100);
    const waits = servers[1]
      .room("default", { deadline: 500 })
      .call("echo", "waits")
      .catch((error: unknown) => error);
    await clock.advance(1000);
    expect(await runs).toMatchObject({ code: "deadline", message: expect.stringContaining("it has begun") as string });
    expect(await waits).toMatchObject({ code: "deadline", message: expect.stringContaining("did not begin") as string });
    links[1].isCut = true;
    const cut = servers[1]
      .room("default", { deadline: 500 })
      .call("echo", "cut")
      .catch((error: unknown) => error);
    await clock.advance(600);
    expect(await cut).toMatchObject({ code: "deadline" });
    await clock.advance(6000);
    holds[0] = undefined;
    const again = roomOf(servers[0]).call("echo", "again");
    expect(await again).toBe("again!");
  });
});
