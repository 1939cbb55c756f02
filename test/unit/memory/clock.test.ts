/** A clock that a test moves: everything on the server goes by it, and vitest's fake timers do as well. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { fakeClock, memory } from "../../../adapters/memory/index.ts";
import type { Memory, MemoryOptions } from "../../../adapters/memory/index.ts";
import { defineHandler } from "../../../src/index.ts";
import { defineMessages, messageClient, messageHandler } from "../../../src/messages/index.ts";
import type { MessageError } from "../../../src/messages/index.ts";
import { pingText } from "../../../src/protocol/text-ping.ts";

const messages = defineMessages({
  toServer: { again: z.undefined() },
  toClient: { confirm: { payload: z.string(), result: z.string() } },
});

const start = Date.UTC(2030, 0, 1);

interface Time {
  readonly options: MemoryOptions;
  now(): number;
  advance(milliseconds: number): Promise<void>;
}

const times: Record<string, () => Time> = {
  fakeClock() {
    const clock = fakeClock(start);
    return { options: { clock }, now: () => clock.now(), advance: (milliseconds) => clock.advance(milliseconds) };
  },
  "vitest's fake timers"() {
    vi.useFakeTimers({ now: start });
    return { options: {}, now: () => Date.now(), advance: (milliseconds) => vi.advanceTimersByTimeAsync(milliseconds).then(() => {}) };
  },
};

afterEach(() => void vi.useRealTimers());

describe.each(Object.keys(times))("with %s", (name) => {
  const time = times[name]!;

  test("an alarm, its retries, and what it sets anew", async () => {
    const { options, now, advance } = time();
    const runs: unknown[] = [];
    const server = memory(
      defineHandler({
        open: ({ room }) => room.setAlarm(now() + 60_000),
        alarm(room, { retryCount }) {
          runs.push([now() - start, retryCount]);
          if (retryCount < 2) throw new Error("on purpose");
          if (now() < start + 100_000) room.setAlarm(now() + 60_000);
        },
        error: () => {},
      }),
      options,
    );
    await server.connect();
    await advance(59_999);
    expect(runs).toEqual([]);
    await advance(1);
    expect(runs).toEqual([[60_000, 0]]);
    // 2 s, 4 s, then the next.
    await advance(200_000);
    const again = [126_000, 128_000, 132_000].map((at, count) => [at, count]);
    expect(runs.slice(1)).toEqual([[62_000, 1], [66_000, 2], ...again]);
  });

  test("an alarm and a schedule outlive hibernation", async () => {
    const { options, now, advance } = time();
    const runs: string[] = [];
    const server = memory(
      defineHandler({
        open({ room }) {
          room.setAlarm(now() + 1000);
          room.schedule(now() + 2000, "remind", "tea");
        },
        alarm: () => void runs.push("alarm"),
        calls: { remind: (_, what: string) => void runs.push(what) },
      }),
      options,
    );
    await server.connect();
    await server.hibernate();
    await advance(1000);
    expect(runs).toEqual(["alarm"]);
    await server.hibernate();
    await advance(1000);
    expect(runs).toEqual(["alarm", "tea"]);
  });

  test("an expiry closes with 3000, and one that was renewed later", async () => {
    const { options, now, advance } = time();
    const server = memory(
      defineHandler({
        upgrade: () => ({ expiresAt: now() + 5000 }),
        message: (connection) => connection.renew(now() + 60_000),
      }),
      options,
    );
    const [ada, grace] = [await server.connect(), await server.connect()];
    grace.send("renew");
    await server.settled();
    await advance(5000);
    expect(await ada.closed).toEqual({ code: 3000, reason: "Credential expired" });
    expect(grace.readyState).toBe(1);
    await advance(55_000);
    expect((await grace.closed).code).toBe(3000);
  });

  test("a client that sent pings and falls silent is ended", async () => {
    const { options, advance } = time();
    const server = memory(defineHandler({ heartbeat: { interval: 30_000, timeout: 10_000 } }), options);
    const [silent, alive] = [await server.connect(), await server.connect()];
    silent.send(pingText);
    for (let passed = 0; passed < 60_000; passed += 10_000) {
      alive.send(pingText);
      await advance(10_000);
    }
    expect(await silent.closed).toEqual({ code: 1006, reason: "" });
    expect(alive.readyState).toBe(1);
  });

  test("history goes after its seconds", async () => {
    const { options, advance } = time();
    const server = memory(
      defineHandler({ history: { chat: { messages: 10, seconds: 60 } }, message: ({ room }, data) => void room.publish("chat", data) }),
      options,
    );
    const client = await server.connect();
    client.send("old");
    await advance(30_000);
    client.send("new");
    await advance(30_000);
    expect(await textsOf(server)).toEqual(["new"]);
    await advance(30_000);
    expect(await textsOf(server)).toEqual([]);
  });

  test("a handshake that takes longer than upgradeTimeout is refused", async () => {
    const { options, advance } = time();
    const server = memory(defineHandler({ upgradeTimeout: 2000, upgrade: () => new Promise<void>(() => {}) }), options);
    const refused = server.connect().catch((error: Error) => error.message);
    await advance(2000);
    expect(await refused).toBe("the handshake was refused with 503 [EW816]");
  });

  test("a call that takes longer than its deadline rejects, and so does one that waits behind it", async () => {
    const { options, advance } = time();
    const server = memory(defineHandler({ calls: { hang: () => new Promise<void>(() => {}) } }), options);
    const codes: unknown[] = [];
    const call = (deadline?: number): void =>
      void (server as unknown as Memory)
        .room("tea", deadline === undefined ? {} : { deadline })
        .call("hang")
        .catch(({ code, message }: Error & { code: string }) => codes.push([code, /begin/.test(message)]));
    call();
    call(500);
    await advance(500);
    expect(codes).toEqual([["deadline", true]]);
    await advance(9500);
    expect(codes).toHaveLength(2);
  });

  test("what the server asks a client is answered, or rejects at its deadline", async () => {
    const { options, advance } = time();
    const answers: unknown[] = [];
    const ask = (what: string) => async (connection: Parameters<typeof messages.request>[0]) => {
      answers.push(
        await messages.request(connection, "confirm", what, { deadline: 5000 }).catch((error: unknown) => (error as MessageError).code),
      );
    };
    const server = memory(defineHandler(messageHandler(messages, { open: ask("at once"), messages: { again: ask("again") } })), options);
    const client = messageClient(messages, new server.WebSocket("/", messages.protocols));
    client.answer("confirm", (what) => (what === "again" ? new Promise<string>(() => {}) : `sure, ${what}`));
    await server.settled();
    client.send("again");
    await advance(4999);
    expect(answers).toEqual(["sure, at once"]);
    await advance(1);
    expect(answers).toEqual(["sure, at once", "deadline"]);
  });

  test("the deadline of an update of room.storage", async () => {
    const { options, advance } = time();
    const errors: string[] = [];
    const server = memory(
      defineHandler({
        message: ({ room }) => room.storage.update("key", () => new Promise<undefined>(() => {})).then(() => {}),
        error: (error) => void errors.push((error as Error).message),
      }),
      options,
    );
    const client = await server.connect();
    client.send("x");
    await advance(10_000);
    expect(errors).toEqual([expect.stringContaining("not settled after 10 s")]);
  });

  test("a rate refills", async () => {
    const { options, advance } = time();
    const server = memory(
      defineHandler({
        rate: { messages: 1, burst: 2, over: "drop" },
        message: (connection, data) => void connection.send(data),
      }),
      options,
    );
    const client = await server.connect();
    const seen: unknown[] = [];
    client.onmessage = ({ data }) => seen.push(data);
    for (const text of ["1", "2", "3"]) client.send(text);
    await advance(1000);
    client.send("4");
    await server.settled();
    expect(seen).toEqual(["1", "2", "4"]);
  });

  test("a client that does not answer a close is given up after closeTimeout", async () => {
    const { options, advance } = time();
    const closed: number[] = [];
    const server = memory(
      defineHandler({ message: (connection) => connection.close(4000), close: (_, { code }) => void closed.push(code) }),
      options,
    );
    const client = await server.connect();
    client.ignoreClose();
    client.send("x");
    await server.settled();
    expect(closed).toEqual([]);
    await advance(10_000);
    expect(closed).toEqual([4000]);
  });

  test("close() spreads the connections by it, and cuts off at its deadline", async () => {
    const { options, advance } = time();
    const server = memory(defineHandler({ message: () => new Promise<void>(() => {}) }), options);
    const clients = await Promise.all([server.connect(), server.connect()]);
    clients[0].send("hang");
    const closed = server.close({ spread: 10_000, deadline: 20_000 });
    await advance(10_000);
    expect((await clients[1].closed).code).toBe(1001);
    await advance(10_000);
    await advance(1000);
    await closed;
    expect((await clients[0].closed).code).toBe(1001);
  });
});

async function textsOf(server: Memory): Promise<unknown[]> {
  const { entries } = (await server.room("default").history("chat")) as unknown as { entries: readonly { data: unknown }[] };
  return entries.map(({ data }) => data);
}

describe("fakeClock", () => {
  test("timers run in order, each at its time, and those that they set on the way as well", async () => {
    const clock = fakeClock(new Date(start));
    const runs: unknown[] = [];
    const note = (what: string): void => void runs.push([what, clock.now() - start]);
    clock.setTimeout(() => note("late"), 30);
    clock.setTimeout(() => {
      note("early");
      clock.setTimeout(() => note("between"), 5);
    }, 10);
    clock.clearTimeout(clock.setTimeout(() => note("never"), 10));
    clock.setTimeout(() => note("second of the same time"), 10);
    await clock.advanceTo(start + 20);
    expect([clock.now(), clock.elapsed()]).toEqual([start + 20, start + 20]);
    expect(runs).toEqual([
      ["early", 10],
      ["second of the same time", 10],
      ["between", 15],
    ]);
    // One move after the other.
    await Promise.all([clock.advance(5), clock.advance(5)]);
    expect(runs.at(-1)).toEqual(["late", 30]);
  });

  test("what is due at once runs without the clock being moved", async () => {
    const clock = fakeClock();
    expect(Math.abs(clock.now() - Date.now())).toBeLessThan(10_000);
    await new Promise<void>((resolve) => clock.setTimeout(resolve, 0));
    await new Promise<void>((resolve) => clock.setTimeout(resolve, -5));
  });

  test("a hook that waits for the clock itself does not hold it up", async () => {
    const clock = fakeClock();
    const server = memory(
      defineHandler({
        async message(connection, data) {
          await new Promise<void>((resolve) => clock.setTimeout(resolve, 5000));
          connection.send(data);
        },
      }),
      { clock },
    );
    const client = await server.connect();
    client.send("slow");
    await clock.advance(4999);
    const heard: unknown[] = [];
    client.onmessage = ({ data }) => heard.push(data);
    await clock.advance(1);
    expect(heard).toEqual(["slow"]);
  });

  test("two servers go by one clock, and a closed one no longer", async () => {
    const clock = fakeClock();
    const alarms: string[] = [];
    const make = (name: string): Memory =>
      memory(defineHandler({ open: ({ room }) => room.setAlarm(clock.now() + 1000), alarm: () => void alarms.push(name) }), { clock });
    const [one, other] = [make("one"), make("other")];
    await Promise.all([one.connect(), other.connect()]);
    const closed = one.close();
    await clock.advance(1000);
    await closed;
    expect(alarms).toEqual(["other"]);
  });

  test("what was wrong is told by name, and the next move works", async () => {
    const clock = fakeClock(start);
    for (const wrong of [-1, Number.NaN, Number.POSITIVE_INFINITY, "1" as never])
      await expect(clock.advance(wrong)).rejects.toThrow(RangeError);
    await expect(clock.advanceTo("tomorrow" as never)).rejects.toThrow("advanceTo takes a Date or milliseconds since 1970");
    await expect(clock.advanceTo(start - 1)).rejects.toThrow(`advanceTo: ${start - 1} has passed: the clock is at ${start} [EW805]`);
    expect(() => fakeClock(new Date(Number.NaN))).toThrow("fakeClock takes a Date or milliseconds since 1970, not an invalid Date [EW238]");
    clock.setTimeout(() => {
      throw new Error("a timer's own");
    }, 1);
    await expect(clock.advance(1)).rejects.toThrow("a timer's own");
    await clock.advance(1);
    expect(clock.now()).toBe(start + 2);
  });

  test("timers that set each other without a delay don't hang the test", async () => {
    const clock = fakeClock();
    const again = (): void => void clock.setTimeout(again, Number.MIN_VALUE);
    again();
    await expect(clock.advance(1)).rejects.toThrow("10000 timers have run at one time");
  });
});
