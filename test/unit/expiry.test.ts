import { expect, test, vi } from "vitest";
import { Expiry } from "../../src/server/expiry.ts";
import { Schedule } from "../../src/time/schedule.ts";
import { FakeClock, FakeSocket, open, settle } from "./fake.ts";

class Credential {
  readonly closes: string[] = [];
  readonly #expiry: Expiry;
  expiresAt: number | undefined;

  constructor(expiry: Expiry, expiresAt: number) {
    this.#expiry = expiry;
    this.expiresAt = expiresAt;
  }

  close(code: number, reason: string): void {
    this.closes.push(`${code} ${reason}`);
    this.#expiry.delete(this);
  }
}

function setup(): { clock: FakeClock; expiry: Expiry; writes: (number | "clear")[] } {
  const clock = new FakeClock();
  const writes: (number | "clear")[] = [];
  let timer: unknown;
  const alarm = {
    set(time: number) {
      writes.push(time);
      clock.clearTimeout(timer);
      timer = clock.setTimeout(() => void schedule.fire(), time - clock.now());
    },
    clear: () => void writes.push("clear"),
    keep: async () => {},
  };
  const schedule = new Schedule(clock, alarm);
  return { clock, expiry: new Expiry(schedule, () => clock.now()), writes };
}

test("one appointment for all that expire in a second, at its end", () => {
  const { clock, expiry, writes } = setup();
  const all = [2100, 2900, 3000, 2500, 9000].map((time) => new Credential(expiry, time));
  for (const one of all) expiry.add(one);
  expect(writes).toEqual([3000]);
  clock.advance(2999);
  expect(all.flatMap((one) => one.closes)).toEqual([]);
  clock.advance(1);
  expect(all.map((one) => one.closes.length)).toEqual([1, 1, 1, 1, 0]);
  expect(all[0]?.closes).toEqual(["3000 Credential expired"]);
  expect(writes).toEqual([3000, 9000]);
});

test("a later time moves nothing until it is looked at; an earlier one does; the last to leave clears it", () => {
  const { clock, expiry, writes } = setup();
  const one = new Credential(expiry, 2000);
  expiry.add(one);
  one.expiresAt = 8000;
  expiry.add(one);
  expect(writes).toEqual([2000]);
  clock.advance(2000);
  expect(one.closes).toEqual([]);
  one.expiresAt = 4000;
  expiry.add(one);
  expect(writes).toEqual([2000, 8000, 4000]);
  expiry.delete(one);
  expect(writes.at(-1)).toBe("clear");
  clock.advance(10_000);
  expect(one.closes).toEqual([]);
});

test("a connection that closes leaves nothing behind, and is not closed again", async () => {
  const { live, clock, socket } = open({}, { start: { expiresAt: 5000 } });
  expect(clock.pending).toBe(1);
  live.close(4000);
  await live.ended(4000, "");
  expect(clock.pending).toBe(0);
  clock.advance(10_000);
  expect(socket.calls).toEqual(["close 4000"]);
});

test("what waits behind a slow hook is discarded when the credential ends", async () => {
  const heard: unknown[] = [];
  const slow = Promise.withResolvers<void>();
  const { live, clock, socket } = open(
    {
      message(_, data) {
        heard.push(data);
        return slow.promise;
      },
    },
    { start: { expiresAt: 1000 } },
  );
  void live.message("first");
  void live.message("second");
  clock.advance(1000);
  slow.resolve();
  await settle();
  expect(heard).toEqual(["first"]);
  expect(socket.calls).toEqual(["close 3000 Credential expired"]);
});

test("what was renewed is stored", () => {
  const socket = new FakeSocket();
  const { live } = open({}, { socket, start: { expiresAt: 5000 } });
  live.renew(new Date(9000));
  expect(live.expiresAt).toBe(9000);
  expect(socket.saved?.[3]).toBe(9000);
  live.renew(null);
  expect(socket.saved?.[3]).toBeUndefined();
  expect(() => live.renew(Number.NaN)).toThrow(TypeError);
  expect(() => live.renew("tomorrow" as never)).toThrow('renew takes a Date or milliseconds since 1970, not "tomorrow" [EW238]');
  expect(live.expiresAt).toBeUndefined();
});

test("one that can't be closed keeps neither the others nor the next appointment waiting", () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const { clock, expiry, writes } = setup();
  const broken = new Credential(expiry, 1000);
  broken.close = () => {
    throw new Error("no");
  };
  const others = [1000, 5000].map((time) => new Credential(expiry, time));
  for (const one of [broken, ...others]) expiry.add(one);
  clock.advance(1000);
  expect(others.map(({ closes }) => closes.length)).toEqual([1, 0]);
  expect(writes).toEqual([1000, 5000]);
  clock.advance(4000);
  expect(others[1]?.closes).toHaveLength(1);
  expect(log).toHaveBeenCalledOnce();
  log.mockRestore();
});
