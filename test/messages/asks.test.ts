/** What a server asks its clients, in memory: whatever a client answers, or does not, the promise settles once, with a code. */
import { afterEach, expect, test, vi } from "vitest";
import * as v from "valibot";
import { z } from "zod";
import { defineHandler } from "edgewire";
import type { Connection } from "edgewire";
import { memory } from "edgewire/memory";
import type { Memory, MemoryClient } from "edgewire/memory";
import { MessageError, defineMessages, messageHandler } from "edgewire/messages";

const messages = defineMessages({
  toServer: { go: z.undefined(), skip: z.undefined(), hold: z.undefined() },
  toClient: {
    said: z.string(),
    confirm: { payload: z.string(), result: z.boolean() },
    slowly: {
      payload: z.undefined(),
      result: v.pipeAsync(
        v.number(),
        v.checkAsync((milliseconds) => new Promise((resolve) => setTimeout(() => resolve(true), milliseconds))),
      ),
    },
    strange: { payload: z.undefined(), result: strange() },
  },
  requests: { ask: { payload: z.undefined(), result: z.unknown() } },
});

/** A schema that throws, or whose promise rejects. */
function strange() {
  const validate = (value: unknown): never | Promise<never> => {
    if (value === "throws") throw new Error("of the schema");
    return Promise.reject(new Error("of the schema"));
  };
  return { "~standard": { version: 1, vendor: "test", validate } } as const;
}

interface Served {
  readonly server: Memory;
  readonly client: MemoryClient;
  readonly connection: Connection;
  readonly log: unknown[];
}

let served: Served | undefined;
afterEach(async () => {
  vi.restoreAllMocks();
  await served?.server.close({ deadline: 10 });
});

type Go = (connection: Connection) => unknown;

/** @param go what the message `go` runs; its outcome is logged. */
async function serving(go: Go = () => {}, options: { readonly maxQueued?: number; readonly rate?: object } = {}): Promise<Served> {
  const log: unknown[] = [];
  const opened = Promise.withResolvers<Connection>();
  const handler = messageHandler(messages, {
    ...options,
    open: (connection) => opened.resolve(connection),
    messages: {
      async go(connection) {
        log.push(await outcome(go(connection)));
      },
      skip: () => void log.push("skip"),
      hold: () => new Promise(() => {}),
    },
    requests: { ask: (connection) => go(connection) },
    invalid: (_connection, problem) => void log.push(problem.code),
    error: (error) => void log.push(error),
  });
  const server = memory(defineHandler(handler));
  const client = await server.connect();
  return (served = { server, client, connection: await opened.promise, log });
}

/** A result, or the code of the error. */
async function outcome(asked: unknown): Promise<unknown> {
  try {
    return await asked;
  } catch (error) {
    return error instanceof MessageError ? error.code : error;
  }
}

const quiet = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));
const send = (client: MemoryClient, frame: object): void => client.send(JSON.stringify(frame));
const message = (name: string) => ({ type: "message", name });
const next = async (client: MemoryClient): Promise<{ id: number }> => JSON.parse(String(await client.next())) as { id: number };
const confirm = (connection: Connection, options?: { deadline?: number; signal?: AbortSignal }) =>
  messages.request(connection, "confirm", "tea", options);

test("the request is sent at once, in order with what else is sent", async () => {
  const { client, connection } = await serving();
  messages.send(connection, "said", "one");
  const asked = confirm(connection);
  messages.send(connection, "said", "two");
  expect(await next(client)).toMatchObject({ payload: "one" });
  const { id, ...frame } = await next(client);
  expect(frame).toEqual({ type: "request", name: "confirm", payload: "tea" });
  expect(await next(client)).toMatchObject({ payload: "two" });
  send(client, { type: "result", id, payload: true });
  expect(await asked).toBe(true);
});

test("several are answered in any order, each id once", async () => {
  const { client, connection } = await serving();
  const asked = [confirm(connection), confirm(connection)];
  const [one, two] = [await next(client), await next(client)];
  expect(two.id).toBe(one.id + 1);
  send(client, { type: "result", id: two.id, payload: false });
  send(client, { type: "result", id: one.id, payload: true });
  expect(await Promise.all(asked)).toEqual([true, false]);
});

test("ids begin elsewhere on each connection, and stay below 2^53", async () => {
  vi.spyOn(Math, "random").mockReturnValue(1 - 2 ** -53);
  const { client, connection } = await serving();
  void confirm(connection).catch(() => {});
  expect((await next(client)).id).toBeLessThan(2 ** 53);
});

test.each<[string, object, unknown]>([
  ["an error", { type: "error", code: "busy", message: "later", issues: [{ path: ["a"], message: "b" }] }, "busy"],
  ["a result of another shape", { type: "result", payload: "yes" }, "invalid-payload"],
  ["no result", { type: "result" }, "invalid-payload"],
])("%s", async (_, frame, code) => {
  const { client, connection } = await serving();
  const asked = outcome(confirm(connection));
  const { id } = await next(client);
  send(client, { ...frame, id });
  expect(await asked).toBe(code);
});

test.each(["throws", "rejects"])("a schema that %s fails the request with its own error", async (how) => {
  const { client, connection } = await serving();
  const asked = outcome(messages.request(connection, "strange"));
  const { id } = await next(client);
  send(client, { type: "result", id, payload: how });
  expect(await asked).toEqual(new Error("of the schema"));
});

test("the deadline covers the check of an answer, and the client is told only if it has not answered", async () => {
  const { client, connection } = await serving();
  const asked = outcome(messages.request(connection, "slowly", undefined, { deadline: 30 }));
  const { id } = await next(client);
  send(client, { type: "result", id, payload: 10_000 });
  expect(await asked).toBe("deadline");
  const late = outcome(confirm(connection, { deadline: 10 }));
  const { id: second } = await next(client);
  expect(await next(client)).toEqual({ type: "cancel", id: second });
  expect(await late).toBe("deadline");
});

test("a signal cancels, with its own reason; one that has aborted sends nothing; one that aborts later is not heard", async () => {
  const { client, connection } = await serving();
  const stop = new AbortController();
  const asked = confirm(connection, { signal: stop.signal }).catch((error: unknown) => error);
  const { id } = await next(client);
  stop.abort("enough");
  expect(await asked).toBe("enough");
  expect(await next(client)).toEqual({ type: "cancel", id });
  expect(await confirm(connection, { signal: stop.signal }).catch((error: unknown) => error)).toBe("enough");
  const later = new AbortController();
  const answered = confirm(connection, { signal: later.signal });
  send(client, { type: "result", id: (await next(client)).id, payload: true });
  expect(await answered).toBe(true);
  later.abort();
  messages.send(connection, "said", "last");
  expect(await next(client)).toMatchObject({ payload: "last" });
});

test("in a hook, an answer is taken before what waits; unknown and second answers are nothing", async () => {
  const { client, log } = await serving(confirm);
  send(client, message("go"));
  const { id } = await next(client);
  for (let count = 0; count < 1000; count++) send(client, message("skip"));
  for (const other of [0, id + 1]) send(client, { type: "result", id: other, payload: false });
  client.send("no frame");
  send(client, { type: "result", id, payload: true });
  send(client, { type: "result", id, payload: false });
  await quiet();
  expect(log.slice(0, 3)).toEqual([true, "skip", "skip"]);
  expect(log.length).toBe(1002);
  expect(log.at(-1)).toBe("bad-frame");
});

test("in a request's hook, while another hook never ends", async () => {
  const { client } = await serving(confirm);
  send(client, { type: "request", id: 1, name: "ask" });
  const { id } = await next(client);
  send(client, message("hold"));
  send(client, { type: "result", id, payload: true });
  expect(await next(client)).toEqual({ type: "result", id: 1, payload: true });
});

test("a client that was slowed down, and may answer only behind what it has sent, is read on; up to twice the limits", async () => {
  const { client, log } = await serving(
    async (connection) => {
      await quiet();
      return confirm(connection);
    },
    { maxQueued: 10 },
  );
  send(client, message("go"));
  for (let count = 0; count < 19; count++) send(client, message("skip"));
  const { id } = await next(client);
  send(client, { type: "result", id, payload: true });
  await quiet();
  expect([log[0], log.length]).toEqual([true, 20]);
});

test("one that sends more than that is slowed down as ever, and the request meets its deadline", async () => {
  const { client, log } = await serving((connection) => confirm(connection, { deadline: 50 }), { maxQueued: 10 });
  send(client, message("go"));
  const { id } = await next(client);
  for (let count = 0; count < 100; count++) send(client, message("skip"));
  send(client, { type: "result", id, payload: true });
  await vi.waitFor(() => expect(log.length).toBe(101));
  expect(log[0]).toBe("deadline");
});

test("answers count in the rate", async () => {
  const { client, log } = await serving((connection) => confirm(connection, { deadline: 50 }), {
    rate: { messages: 1, bytes: 2 ** 20, burst: 2, over: "drop" },
  });
  send(client, message("go"));
  const { id } = await next(client);
  send(client, { type: "result", id: 0 });
  send(client, { type: "result", id, payload: true });
  await vi.waitFor(() => expect(log).toEqual(["deadline"]));
});

test.each(["close", "terminate"] as const)(
  "a connection that ends (%s) rejects what waits, also in a hook that its close hook waits for",
  async (how) => {
    const { client, connection, log } = await serving(confirm);
    send(client, message("go"));
    await next(client);
    const beside = outcome(confirm(connection));
    void client[how]();
    expect(await beside).toBe("closed");
    await quiet();
    expect(log).toEqual(["closed"]);
    expect(await outcome(confirm(connection))).toBe("closed");
  },
);

test("a client that leaves while `open` asks it is no failure; a deadline is one, unless it is caught", async () => {
  const errors: unknown[] = [];
  const open = async (connection: Connection): Promise<void> => void (await confirm(connection, { deadline: 20 }));
  const hooks = { messages: { go() {}, skip() {}, hold() {} }, requests: { ask() {} } };
  const server = memory(defineHandler(messageHandler(messages, { ...hooks, open, error: (error) => void errors.push(error) })));
  const leaving = await server.connect();
  await next(leaving);
  leaving.terminate();
  await quiet();
  expect(errors).toEqual([]);
  const silent = await server.connect();
  expect((await silent.closed).code).toBe(1011);
  expect(errors).toEqual([expect.objectContaining({ code: "deadline" })]);
});

test("a server that closes waits for a hook that asks, and its client may still answer", async () => {
  const { server, client, log } = await serving(confirm);
  send(client, message("go"));
  const { id } = await next(client);
  const closing = server.close({ deadline: 5000 });
  await quiet();
  send(client, message("skip"));
  send(client, { type: "result", id, payload: true });
  await closing;
  expect(log).toEqual([true]);
});

test("what an eviction forgot is interrupted, by the deadline, and the answer is nothing to the object that woke", async () => {
  const { server, client, connection, log } = await serving();
  const asked = outcome(confirm(connection, { deadline: 50 }));
  const { id } = await next(client);
  await server.hibernate();
  send(client, { type: "result", id, payload: true });
  send(client, message("skip"));
  expect(await asked).toBe("interrupted");
  expect(log).toEqual(["skip"]);
  expect(await outcome(confirm(connection))).toBe("interrupted");
});

test("at most 100 are pending for a client", async () => {
  const { client, connection } = await serving();
  const asked = Array.from({ length: 100 }, () => confirm(connection));
  expect(await outcome(confirm(connection))).toBe("too-many-requests");
  const ids = [];
  for (let count = 0; count < 100; count++) ids.push((await next(client)).id);
  for (const id of ids) send(client, { type: "result", id, payload: true });
  expect((await Promise.all(asked)).length).toBe(100);
  const again = confirm(connection);
  send(client, { type: "result", id: (await next(client)).id, payload: true });
  expect(await again).toBe(true);
});

test("from a room, and from another connection's hook", async () => {
  const { server, client } = await serving((connection) =>
    confirm([...connection.room.peers()].find((one) => one !== connection) ?? connection),
  );
  const other = await server.connect();
  send(client, { type: "request", id: 1, name: "ask" });
  send(other, { type: "result", id: (await next(other)).id, payload: true });
  expect(await next(client)).toEqual({ type: "result", id: 1, payload: true });
});

test("what is wrong is an error by name, and sends nothing", async () => {
  const { client, connection } = await serving();
  const failure = (asked: Promise<unknown>): Promise<unknown> => asked.catch((error: unknown) => error);
  expect(await failure(confirm(connection, { deadline: 0 }))).toEqual(
    new RangeError('option "deadline" is 0: use 1 to 2147483647 ms [EW541]'),
  );
  expect(await failure(messages.request(connection, "said" as "confirm", "x"))).toEqual(
    new TypeError('toClient has no "said" with "result": names are confirm, slowly, strange [EW536]'),
  );
  const strict = defineMessages({ toClient: { confirm: { payload: z.string(), result: z.boolean() } }, checkSent: true });
  const foreign = new TypeError("request: not a connection of messageHandler with these messages [EW533]");
  expect(await failure(strict.request(connection, "confirm", "x"))).toEqual(foreign);
  const raw = memory(defineHandler({ open: (one) => void opened.resolve(one) }));
  const opened = Promise.withResolvers<Connection>();
  await raw.connect();
  expect(await failure(confirm(await opened.promise))).toEqual(foreign);
  messages.send(connection, "said", "last");
  expect(await next(client)).toMatchObject({ payload: "last" });
});
