/** The server's half of a stream, in memory: whatever the iterator of a hook and its client do, it ends once, and alone. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { defineHandler } from "edgewire";
import { memory } from "edgewire/memory";
import type { Memory, MemoryClient } from "edgewire/memory";
import { MessageError, defineMessages, messageHandler } from "edgewire/messages";
import type { RequestContext } from "edgewire/messages";

const messages = defineMessages({
  toServer: { hold: z.undefined() },
  requests: { stream: { payload: z.undefined(), item: z.unknown() } },
});

type Hook = (context: RequestContext) => unknown;

let log: string[];
let errors: unknown[];
let invalid: string[];
let server: Memory;
let client: MemoryClient;

async function serving(hook: Hook, options: { readonly maxBuffered?: number; readonly highWaterMark?: number } = {}): Promise<void> {
  const handler = messageHandler(messages, {
    ...options,
    slowConsumer: "drop",
    maxRequests: 2,
    messages: { hold: () => new Promise(() => {}) },
    requests: { stream: (_connection, _payload, context) => hook(context) as AsyncIterable<unknown> },
    invalid: (_connection, problem) => void invalid.push(`${problem.code}: ${problem.message}`),
    error: (error) => void errors.push(error),
  });
  server = memory(defineHandler(handler));
  client = await server.connect();
}

const send = (frame: object): void => client.send(JSON.stringify(frame));
const open = (id: number, credit: number): void => send({ type: "request", id, name: "stream", credit });
const next = async (): Promise<unknown> => JSON.parse(String(await client.next()));
/** Until nothing more happens. */
const quiet = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));

/** Nothing else has come. */
async function nothing(): Promise<void> {
  await quiet();
  send({ type: "message", name: "nothing" });
  expect(await next()).toMatchObject({ code: "unknown-name", name: "nothing" });
}

/** Counts, and logs its steps and its end. */
async function* counting({ signal }: RequestContext): AsyncGenerator<number> {
  try {
    for (let number = 1; ; number++) {
      log.push(`makes ${number}`);
      yield await Promise.resolve(number);
    }
  } finally {
    log.push(`ended ${String((signal.reason as MessageError | undefined)?.code)}`);
  }
}

beforeEach(() => {
  log = [];
  errors = [];
  invalid = [];
});
afterEach(async () => {
  await server.close({ deadline: 10 });
});

test("the generator is asked only for what may be sent", async () => {
  await serving(counting);
  open(1, 2);
  expect([await next(), await next()]).toEqual([
    { type: "item", id: 1, payload: 1 },
    { type: "item", id: 1, payload: 2 },
  ]);
  await nothing();
  expect(log).toEqual(["makes 1", "makes 2"]);
  send({ type: "credit", id: 1, n: 1 });
  expect(await next()).toMatchObject({ payload: 3 });
  await nothing();
  expect(log.length).toBe(3);
});

test("a cancellation aborts the signal and ends the generator, also one that waits for credit", async () => {
  await serving(counting);
  open(1, 1);
  await next();
  send({ type: "cancel", id: 1 });
  send({ type: "cancel", id: 1 });
  await quiet();
  expect(log).toEqual(["makes 1", "ended cancelled"]);
  send({ type: "credit", id: 1, n: 5 });
  expect(await next()).toMatchObject({ type: "error", id: 1, code: "interrupted" });
  expect(errors).toEqual([]);
});

test.each(["close", "terminate"] as const)("a connection that ends (%s) ends it, whatever its other hooks wait for", async (how) => {
  await serving(counting);
  open(1, 1);
  await next();
  send({ type: "message", name: "hold" });
  await quiet();
  void client[how]();
  await quiet();
  expect(log).toEqual(["makes 1", "ended cancelled"]);
  expect(errors).toEqual([]);
});

test("a generator whose end fails is reported once", async () => {
  await serving(async function* () {
    try {
      yield await Promise.resolve(1);
    } finally {
      thrown();
    }
  });
  open(1, 1);
  await next();
  client.terminate();
  await quiet();
  expect(errors).toEqual([new Error("mine")]);
});

test("a generator that stops for the signal is no error; one that fails beside it is", async () => {
  const fault = new Error("of its own");
  for (const own of [undefined, fault]) {
    await serving(async function* ({ signal }) {
      yield await new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(own ?? (signal.reason as Error)));
      });
    });
    open(1, 1);
    await quiet();
    client.terminate();
    await quiet();
  }
  expect(errors).toEqual([fault]);
});

test("nobody waits for a generator whose end never settles; it counts as running", async () => {
  await serving(() => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}), return: () => new Promise(() => {}) }) }));
  for (const id of [1, 2]) {
    open(id, 1);
    send({ type: "cancel", id });
  }
  await quiet();
  open(3, 1);
  expect(await next()).toMatchObject({ id: 3, code: "too-many-requests" });
  await server.close({ deadline: 1000 });
});

test("an iterator that is asked to end while it works, and whose work never ends, is over when it says so", async () => {
  await serving(() => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}), return: async () => ({ done: true }) }) }));
  for (const id of [1, 2, 3, 4]) {
    open(id, 1);
    send({ type: "cancel", id });
    await quiet();
  }
  await nothing();
});

test.each<[string, Hook]>([
  ["throws at once", () => thrown()],
  ["rejects", () => Promise.reject(new Error("mine"))],
  ["has an iterator that throws", () => ({ [Symbol.asyncIterator]: thrown })],
  ["has a next that throws", () => ({ [Symbol.asyncIterator]: () => ({ next: thrown }) })],
  ["has a next that rejects", () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error("mine")) }) })],
])("a hook that %s is an internal error, told once", async (_, hook) => {
  await serving(hook);
  open(1, 1);
  expect(await next()).toEqual({ type: "error", id: 1, name: "stream", code: "internal", message: "Internal error [EW519]" });
  await nothing();
  expect(errors).toEqual([new Error("mine")]);
  for (const id of [2, 3, 4]) {
    open(id, 1);
    expect(await next()).toMatchObject({ id, code: "internal" });
  }
});

function thrown(): never {
  throw new Error("mine");
}

test.each([undefined, null, 7, [1, 2], () => {}])("a hook that returns %s is told what it must return", async (value) => {
  await serving(() => value);
  open(1, 1);
  expect(await next()).toMatchObject({ id: 1, code: "internal" });
  expect(errors).toEqual([
    new TypeError("hook requests.stream must return an async iterable, as an async generator does (async function*) [EW553]"),
  ]);
});

test("a MessageError reaches the client after the items, and nobody else", async () => {
  await serving(async function* () {
    yield await Promise.resolve(1);
    throw new MessageError("tired", "later");
  });
  open(1, 5);
  expect([await next(), await next()]).toMatchObject([{ payload: 1 }, { type: "error", id: 1, code: "tired", message: "later" }]);
  expect(errors).toEqual([]);
});

test("a hook may resolve to any async iterable, a ReadableStream for example, which is cancelled with the stream", async () => {
  const steps: string[] = [];
  await serving(() =>
    Promise.resolve(
      new ReadableStream({ pull: (to) => to.enqueue("x"), cancel: () => void steps.push("cancelled") }, { highWaterMark: 0 }),
    ),
  );
  open(1, 1);
  expect(await next()).toEqual({ type: "item", id: 1, payload: "x" });
  send({ type: "cancel", id: 1 });
  await quiet();
  expect(steps).toEqual(["cancelled"]);
});

test("a hook that resolves after its client has left: what it made is ended", async () => {
  const made = Promise.withResolvers<AsyncIterable<number>>();
  const steps: string[] = [];
  await serving(() => made.promise);
  open(1, 1);
  await quiet();
  client.terminate();
  await quiet();
  const iterator = { next: thrown, return: async () => (steps.push("returned"), { done: true, value: undefined }) };
  made.resolve({ [Symbol.asyncIterator]: () => iterator } as unknown as AsyncIterable<number>);
  await quiet();
  expect([steps, errors]).toEqual([["returned"], []]);
});

test("an item that can't be encoded ends the stream as an error, and the generator", async () => {
  await serving(async function* (context) {
    for await (const number of counting(context)) yield number === 2 ? 2n : number;
  });
  open(1, 5);
  expect([await next(), await next()]).toMatchObject([{ payload: 1 }, { type: "error", id: 1, code: "internal" }]);
  await nothing();
  expect(errors).toEqual([expect.any(TypeError)]);
  expect(log.at(-1)).toMatch(/^ended/);
});

test("an item that is dropped interrupts the stream: the client would not know that one is missing", async () => {
  const large = "x".repeat(1000);
  await serving(
    async function* (context) {
      for await (const _ of counting(context)) yield large;
    },
    { maxBuffered: 2500, highWaterMark: 1000 },
  );
  client.pause();
  open(1, 5);
  await quiet();
  expect(log.at(-1)).toMatch(/^ended/);
  client.resume();
  const received = [await next(), await next(), await next()];
  expect(received).toMatchObject([{ type: "item" }, { type: "item" }, { type: "error", id: 1, name: "stream", code: "interrupted" }]);
  // If the error was dropped too, the client's probe is answered.
  send({ type: "credit", id: 1, n: 0 });
  expect(await next()).toMatchObject({ type: "error", id: 1, code: "interrupted" });
  expect(errors).toEqual([]);
});

test("a flood of credit, for any id and of any size, ends nothing", async () => {
  await serving(counting);
  open(1, 1);
  await next();
  for (let round = 0; round < 100; round++) send({ type: "credit", id: 1, n: 0 });
  for (const n of [1000, 1000]) send({ type: "credit", id: 1, n });
  const received = [];
  for (let count = 0; count < 1001; count++) received.push((await next()) as { type: string });
  expect(received.filter(({ type }) => type === "item").length).toBe(1000);
  expect(received.filter(({ type }) => type === "error")).toEqual([
    { type: "error", code: "bad-frame", message: "a stream has at most 1000 of credit [EW501]" },
  ]);
  expect(invalid).toEqual(["bad-frame: a stream has at most 1000 of credit [EW501]"]);
  for (let id = 2; id < 102; id++) send({ type: "credit", id, n: 1 });
  for (let id = 2; id < 102; id++) expect(await next()).toMatchObject({ id, code: "interrupted" });
  send({ type: "credit", id: 1, n: 1 });
  expect(await next()).toMatchObject({ type: "item", payload: 1002 });
});

test("an eviction forgets a stream: its generator is ended when it would send, and its client's credit is answered", async () => {
  await serving(counting);
  open(1, 1);
  await next();
  await server.hibernate();
  send({ type: "credit", id: 1, n: 0 });
  expect(await next()).toMatchObject({ type: "error", id: 1, code: "interrupted" });
});

test("one that works on while its server was dropped ends at its next item", async () => {
  const more = Promise.withResolvers<void>();
  await serving(async function* (context) {
    for await (const number of counting(context)) {
      yield number;
      await more.promise;
    }
  });
  open(1, 9);
  await next();
  await server.hibernate();
  more.resolve();
  await quiet();
  expect(log.at(-1)).toMatch(/^ended/);
  expect(errors).toEqual([]);
});
