/** Calls of a room in another object: what its RPC does, and what it may never do. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { rooms } from "../../adapters/workers/rooms.ts";
import type { Rooms } from "../../src/index.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type Answer = (room: string, method: string, args: readonly unknown[], jurisdiction: unknown) => Promise<unknown>;

/** The rooms of objects that answer so. */
function answeredBy(answer: Answer): Rooms {
  class Objects {
    get [Symbol.toStringTag](): string {
      return "DurableObjectNamespace";
    }
    idFromName(name: string): string {
      return name;
    }
    get(): object {
      return { edgewireRoom: answer };
    }
  }
  return rooms(new Objects() as never);
}

const outcome = (pending: Promise<unknown>): Promise<unknown> =>
  pending.catch(({ name, message, code }: Error & { code?: unknown }) => ({ name, message, code }));

test("a call travels as plain data", async () => {
  const asked: unknown[] = [];
  const { room } = answeredBy(async (...args) => {
    asked.push(args);
    return { value: '{"$":"Date","value":0}' };
  });
  expect(await room("lobby", { deadline: 50 }).call("vote", "tea", new Map([[1, 2n]]))).toEqual(new Date(0));
  const args = '["tea",{"$":"Map","value":[[1,{"$":"bigint","value":"2"}]]}]';
  expect(asked).toEqual([["lobby", "call", ["vote", args, [], 50], undefined]]);
  expect(structuredClone(asked)).toEqual(asked);
  expect(vi.getTimerCount()).toBe(0);
});

test("an object that never answers is given up a second after the deadline", async () => {
  const { room } = answeredBy(() => new Promise(() => {}));
  const pending = outcome(room("lobby", { deadline: 500 }).call("vote"));
  await vi.advanceTimersByTimeAsync(1499);
  expect(vi.getTimerCount()).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(await pending).toEqual({
    name: "Error",
    message: 'call "vote" of room "lobby": no answer within 1500 ms: it may have begun, and may still finish [EW338]',
    code: "deadline",
  });
});

test("what fails afterwards is nobody's", async () => {
  const { room } = answeredBy(() => new Promise((_, reject) => setTimeout(reject, 5000, new Error("lost"))));
  const pending = outcome(room("lobby", { deadline: 500 }).call("vote"));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await pending).toMatchObject({ code: "deadline" });
});

test("an RPC that fails rejects as it is", async () => {
  const { room } = answeredBy(() => Promise.reject(Object.assign(new Error("Network connection lost."), { retryable: true })));
  expect(await outcome(room("lobby").call("vote"))).toMatchObject({ message: "Network connection lost." });
  expect(vi.getTimerCount()).toBe(0);
});

test("while a deploy rolls out, the object may know no calls, or not this one", async () => {
  for (const told of ["a room has no call", "a room has no call [EW325]"]) {
    const older = answeredBy(() => Promise.reject(new TypeError(told)));
    expect(await outcome(older.room("lobby").call("vote"))).toEqual({
      name: "Error",
      message: 'call "vote" of room "lobby": the room has no calls (while a deploy rolls out, the room may run another version) [EW334]',
      code: "unknown_call",
    });
  }
  const other = answeredBy(async () => ({ error: { message: "there is no such call: calls are …", code: "unknown_call" } }));
  expect(await outcome(other.room("lobby").call("vote"))).toMatchObject({
    message: "there is no such call: calls are … (while a deploy rolls out, the room may run another version)",
    code: "unknown_call",
  });
  const foreign = answeredBy(() => Promise.reject(new TypeError('The RPC receiver does not implement the method "edgewireRoom".')));
  expect(await outcome(foreign.room("lobby").call("vote"))).toMatchObject({
    message: expect.stringContaining("was not made by durable(handler)"),
  });
});

test("what can't be passed asks no object", async () => {
  const asked = vi.fn();
  const { room } = answeredBy(asked);
  await expect(room("lobby").call("vote", () => {})).rejects.toThrow('call "vote" of room "lobby": argument 1 is a function');
  expect(() => room("lobby", { deadline: 0 })).toThrow(RangeError);
  for (const wrong of [
    () => room("lobby").send(7 as never, "x"),
    () => room("lobby").send("id", 7 as never),
    () => room("lobby").disconnect(7 as never),
  ]) {
    await expect(wrong()).rejects.toThrow(TypeError);
  }
  expect(asked).not.toHaveBeenCalled();
});
