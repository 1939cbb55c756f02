/** The client of edgewire/messages: what it promises when a server answers late, wrongly, twice or never. Against a socket that the test plays. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import * as v from "valibot";
import { z } from "zod";
import { msgpack } from "../../adapters/msgpack/index.ts";
import { json } from "../../src/messages/codec.ts";
import type { MessageError } from "../../src/messages/error.ts";
import { defineMessages, messageClient } from "../../src/messages/index.ts";
import { pongText } from "../../src/protocol/text-ping.ts";
import { FakeSocket } from "./fake-socket.ts";

const messages = defineMessages({
  codecs: [msgpack, json],
  toServer: { say: z.string(), leave: z.undefined() },
  toClient: {
    said: z.string(),
    slowly: v.pipeAsync(
      v.number(),
      v.transformAsync(async (milliseconds) => {
        await new Promise((resolve) => setTimeout(resolve, milliseconds));
        return milliseconds;
      }),
    ),
  },
  requests: { add: { payload: z.number(), result: z.number() } },
});

/** What is thrown to the runtime while `run` runs: Vitest's own listener would fail the test. */
async function thrownBy(run: () => unknown): Promise<unknown[]> {
  const thrown: unknown[] = [];
  const before = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException").on("uncaughtException", (error) => thrown.push(error));
  await run();
  vi.useRealTimers();
  await new Promise((resolve) => setTimeout(resolve));
  process.removeAllListeners("uncaughtException");
  for (const listener of before) process.on("uncaughtException", listener);
  return thrown;
}

let socket: FakeSocket;
const open = () => messageClient(messages, socket);
const frame = (value: object): void => socket.receives(JSON.stringify(value));

beforeEach(() => {
  socket = new FakeSocket();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("requests", () => {
  test("each gets its own answer, in any order", async () => {
    const client = open();
    const [one, two] = [client.request("add", 1), client.request("add", 2)];
    expect(socket.frames).toEqual([
      { type: "request", id: 1, name: "add", payload: 1 },
      { type: "request", id: 2, name: "add", payload: 2 },
    ]);
    frame({ type: "result", id: 2, payload: 20 });
    frame({ type: "result", id: 1, payload: 10 });
    expect(await Promise.all([one, two])).toEqual([10, 20]);
  });

  test("an error carries the server's code, message and issues", async () => {
    const asked = open().request("add", 1);
    frame({ type: "error", id: 1, name: "add", code: "tired", message: "later", issues: [{ path: ["a", 0], message: "no" }] });
    await expect(asked).rejects.toMatchObject({
      name: "MessageError",
      code: "tired",
      message: "later",
      about: "add",
      issues: [{ path: ["a", 0], message: "no" }],
    });
  });

  test("a result that its schema refuses", async () => {
    const asked = open().request("add", 1);
    frame({ type: "result", id: 1, payload: "ten" });
    await expect(asked).rejects.toMatchObject({ code: "invalid-payload", about: "add" });
  });

  test("the deadline, after which the server is told and its answer ignored", async () => {
    vi.useFakeTimers();
    const client = open();
    const failure = (asked: Promise<unknown>): Promise<unknown> => asked.catch((error: unknown) => error);
    const asked = failure(client.request("add", 1));
    const sooner = failure(client.request("add", 2, { deadline: 5 }));
    vi.advanceTimersByTime(5);
    expect(await sooner).toMatchObject({ code: "deadline" });
    expect(socket.frames.at(-1)).toEqual({ type: "cancel", id: 2 });
    vi.advanceTimersByTime(10_000);
    expect(await asked).toMatchObject({ code: "deadline", message: '"add" was not answered within 10000 ms [EW524]' });
    frame({ type: "result", id: 1, payload: 10 });
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([0, -1, Number.NaN, Infinity, 2 ** 31])("%s is no deadline", async (deadline) => {
    await expect(open().request("add", 1, { deadline })).rejects.toThrow(
      `option "deadline" is ${deadline}: use 1 to 2147483647 ms [EW541]`,
    );
    expect(socket.sent).toEqual([]);
  });

  test("a signal cancels, with its own reason", async () => {
    const stop = new AbortController();
    const asked = open().request("add", 1, { signal: stop.signal });
    stop.abort("enough");
    await expect(asked).rejects.toBe("enough");
    expect(socket.frames.at(-1)).toEqual({ type: "cancel", id: 1 });
  });

  test("a signal that has aborted sends nothing; one that aborts later is not heard", async () => {
    const client = open();
    await expect(client.request("add", 1, { signal: AbortSignal.abort("no") })).rejects.toBe("no");
    expect(socket.sent).toEqual([]);
    const stop = new AbortController();
    const asked = client.request("add", 1, { signal: stop.signal });
    frame({ type: "result", id: 1, payload: 10 });
    expect(await asked).toBe(10);
    stop.abort();
    expect(socket.frames.length).toBe(1);
  });

  test.each(["close", "disconnect"])("a lost connection (%s) rejects what waits, and nothing is sent again", async (event) => {
    const client = open();
    const asked = [client.request("add", 1), client.request("add", 2)];
    socket.says(event);
    for (const one of asked) {
      await expect(one).rejects.toMatchObject({ code: "closed", message: 'the connection was lost before "add" was answered [EW540]' });
    }
    socket.says("open");
    expect(socket.sent.length).toBe(2);
    const again = client.request("add", 3);
    frame({ type: "result", id: 1, payload: 10 });
    frame({ type: "result", id: 3, payload: 30 });
    expect(await again).toBe(30);
  });

  test("a cancellation is not sent into a socket that is closing", async () => {
    const client = open();
    const controller = new AbortController();
    const asked = client.request("add", 1, { signal: controller.signal });
    const before = socket.sent.length;
    socket.readyState = 2;
    controller.abort(new Error("enough"));
    await expect(asked).rejects.toThrow("enough");
    expect(socket.sent.length).toBe(before);
  });

  test("a socket that is closed, throws or refuses", async () => {
    const client = open();
    socket.readyState = 3;
    await expect(client.request("add", 1)).rejects.toMatchObject({ code: "closed" });
    expect(socket.sent).toEqual([]);
    socket.readyState = 0;
    socket.send = () => "refused";
    await expect(client.request("add", 1)).rejects.toMatchObject({ code: "not-sent" });
    const cause = new DOMException("still connecting", "InvalidStateError");
    socket.send = () => {
      throw cause;
    };
    await expect(client.request("add", 1)).rejects.toMatchObject({
      code: "not-sent",
      message: expect.stringContaining("still connecting"),
      cause,
    });
    vi.useFakeTimers();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("one whose asynchronous schema never settles meets its deadline; the server has answered, and is told nothing", async () => {
    vi.useFakeTimers();
    const never = v.pipeAsync(
      v.number(),
      v.checkAsync(() => new Promise<boolean>(() => {})),
    );
    const client = messageClient(defineMessages({ requests: { add: { payload: z.number(), result: never } } }), socket);
    const asked = client.request("add", 1, { deadline: 5 }).catch((error: unknown) => error);
    frame({ type: "result", id: 1, payload: 10 });
    frame({ type: "result", id: 1, payload: 11 });
    socket.says("disconnect");
    await vi.advanceTimersByTimeAsync(5);
    expect(await asked).toMatchObject({ code: "deadline" });
    expect(socket.frames.length).toBe(1);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("a schema that throws, or rejects, fails the request", async () => {
    const failing = (validate: () => never | Promise<never>) => ({ "~standard": { version: 1, vendor: "mine", validate } }) as const;
    const fault = new Error("of the schema");
    const client = messageClient(
      defineMessages({
        requests: {
          throws: {
            payload: z.undefined(),
            result: failing(() => {
              throw fault;
            }),
          },
          rejects: { payload: z.undefined(), result: failing(() => Promise.reject(fault)) },
        },
      }),
      socket,
    );
    const asked = [client.request("throws"), client.request("rejects")];
    for (const id of [1, 2]) frame({ type: "result", id });
    for (const one of asked) await expect(one).rejects.toBe(fault);
  });

  test("a socket that throws for the cancellation keeps neither deadline nor signal from the request", async () => {
    vi.useFakeTimers();
    const client = open();
    const stop = new AbortController();
    const asked = [client.request("add", 1, { deadline: 5 }), client.request("add", 2, { signal: stop.signal })];
    const outcomes = Promise.allSettled(asked);
    socket.send = () => {
      throw new Error("closing");
    };
    stop.abort("enough");
    vi.advanceTimersByTime(5);
    expect(await outcomes).toMatchObject([{ reason: { code: "deadline" } }, { reason: "enough" }]);
  });

  test("a signal without a reason, as React Native's", async () => {
    const client = open();
    const signal = Object.assign(new EventTarget(), { aborted: false }) as AbortSignal;
    const asked = client.request("add", 1, { signal });
    signal.dispatchEvent(new Event("abort"));
    await expect(asked).rejects.toMatchObject({ code: "cancelled", about: "add" });
    const aborted = { aborted: true } as AbortSignal;
    await expect(client.request("add", 1, { signal: aborted })).rejects.toMatchObject({ code: "cancelled" });
  });

  test("an answer from within send", async () => {
    socket.send = () => frame({ type: "result", id: 1, payload: 10 });
    expect(await open().request("add", 1)).toBe(10);
  });

  test("answers to what nobody asked are ignored", () => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    open();
    frame({ type: "result", id: 7, payload: 1 });
    frame({ type: "error", id: 7, code: "x", message: "y" });
    expect(warn).not.toHaveBeenCalled();
  });
});

describe("messages", () => {
  test("reach every listener until it is taken off", () => {
    const client = open();
    const heard: string[] = [];
    const off = client.on("said", (text) => heard.push(`a ${text}`));
    client.on("said", (text) => heard.push(`b ${text}`));
    frame({ type: "message", name: "said", payload: "one" });
    off();
    frame({ type: "message", name: "said", payload: "two" });
    frame({ type: "message", name: "unheard", payload: "three" });
    expect(heard).toEqual(["a one", "b one", "b two"]);
  });

  test("keep their order behind an asynchronous schema, and so do results", async () => {
    const client = open();
    const heard: unknown[] = [];
    client.on("slowly", (milliseconds) => heard.push(milliseconds));
    client.on("said", (text) => heard.push(text));
    const asked = client.request("add", 1).then((sum) => heard.push(`sum ${sum}`));
    frame({ type: "message", name: "slowly", payload: 30 });
    frame({ type: "message", name: "slowly", payload: 1 });
    frame({ type: "message", name: "said", payload: "last" });
    frame({ type: "result", id: 1, payload: 10 });
    expect(heard).toEqual([]);
    await asked;
    expect(heard).toEqual([30, 1, "last", "sum 10"]);
    await Promise.resolve();
    frame({ type: "message", name: "said", payload: "at once" });
    expect(heard.at(-1)).toBe("at once");
  });

  test("keep their order also when a schema in between rejects, or never settles", async () => {
    vi.useFakeTimers();
    const heard: unknown[] = [];
    const after = (milliseconds: number, fails = false) =>
      new Promise<{ value: number }>((resolve, reject) => {
        setTimeout(() => (fails ? reject(new Error("of the schema")) : resolve({ value: milliseconds })), milliseconds);
      });
    const outcomes: Record<string, () => Promise<{ value: number }>> = {
      slow: () => after(100),
      fails: () => after(10, true),
      never: () => new Promise(() => {}),
      quick: () => after(1),
    };
    const schema = {
      "~standard": { version: 1, vendor: "mine", validate: (value: unknown) => outcomes[value as string]!() },
    } as const;
    const client = messageClient(defineMessages({ toClient: { said: schema } }), socket);
    client.on("said", (value) => heard.push(value));
    client.onError((error) => heard.push(error.message));
    const thrown = await thrownBy(async () => {
      for (const payload of ["slow", "fails", "never", "quick"]) frame({ type: "message", name: "said", payload });
      await vi.advanceTimersByTimeAsync(5000);
      expect(heard).toEqual([100]);
      await vi.advanceTimersByTimeAsync(5000);
    });
    expect(heard).toEqual([100, 'the schema of "said" did not settle within 10000 ms [EW549]', 1]);
    expect(thrown).toEqual([new Error("of the schema")]);
  });

  test("a listener may add and remove listeners: those that listened when the message came are told", () => {
    const client = open();
    const heard: string[] = [];
    const again = (): void => {
      heard.push("again");
      client.on("said", () => again());
      off();
    };
    client.on("said", again);
    const off = client.on("said", () => heard.push("removed"));
    frame({ type: "message", name: "said", payload: "one" });
    expect(heard).toEqual(["again"]);
  });

  test("a listener that throws keeps none from the others", async () => {
    const client = open();
    const heard: string[] = [];
    client.on("said", () => {
      throw new Error("mine");
    });
    client.on("said", (text) => heard.push(text));
    const thrown = await thrownBy(() => frame({ type: "message", name: "said", payload: "one" }));
    expect(heard).toEqual(["one"]);
    expect(thrown).toEqual([new Error("mine")]);
  });
});

describe("what the server should not send", () => {
  let errors: MessageError[];
  beforeEach(() => {
    errors = [];
    open().onError((error) => errors.push(error));
  });
  const codes = (): string[] => errors.map(({ code }) => code);

  test.each([
    ["not JSON", "hello"],
    ["no frame", "[]"],
    ["a client's frame", '{"type":"credit","id":1,"n":1}'],
    ["a request without an id", '{"type":"request","name":"add"}'],
    ["an error without a code", '{"type":"error","message":"x"}'],
    ...[
      {},
      "x",
      Array.from({ length: 9 }, () => ({ path: [], message: "x" })),
      [null],
      [{ path: "x", message: "x" }],
      [{ path: [] }],
      [{ path: [], message: "x".repeat(1001) }],
      [{ path: ["x".repeat(1001)], message: "x" }],
      [{ path: [{}], message: "x" }],
      [{ path: [0.5], message: "x" }],
      [{ path: Array.from({ length: 65 }, () => 0), message: "x" }],
    ].map((issues): [string, string] => [
      `issues that are ${JSON.stringify(issues).slice(0, 40)}`,
      JSON.stringify({ type: "error", code: "x", message: "x", issues }),
    ]),
    ["a poisoned payload", '{"type":"message","name":"said","payload":{"__proto__":1}}'],
    ["bytes where the codec is JSON", new Uint8Array([0x80]).buffer],
  ])("%s", (_, data) => {
    socket.receives(data);
    expect(codes()).toEqual(["bad-frame"]);
  });

  test("a payload that its schema refuses", () => {
    const client = messageClient(messages, socket);
    client.onError((error) => errors.push(error));
    const listener = vi.fn();
    client.on("said", listener);
    frame({ type: "message", name: "said", payload: 7 });
    expect(listener).not.toHaveBeenCalled();
    expect(codes()).toEqual(["invalid-payload"]);
  });

  test("a subprotocol that the client does not have", () => {
    socket.protocol = "edgewire.cbor.1";
    socket.says("open");
    expect(errors.map(({ code, message }) => [code, message])).toEqual([
      ["no-codec", "the server chose edgewire.cbor.1, this client has edgewire.msgpack.1, edgewire.json.1 [EW527]"],
    ]);
  });

  test("no subprotocol, to a client that has MessagePack alone and comes when the socket is open", async () => {
    socket.protocol = "";
    socket = new FakeSocket();
    socket.protocol = "";
    messageClient(defineMessages({ codecs: [msgpack] }), socket).onError((error) => errors.push(error));
    await Promise.resolve();
    expect(errors.map(({ message }) => message)).toEqual(["the server chose no subprotocol, this client has edgewire.msgpack.1 [EW527]"]);
  });

  test("errors that belong to no request", () => {
    frame({ type: "error", name: "say", code: "invalid-payload", message: "say: too long" });
    expect(errors).toMatchObject([{ code: "invalid-payload", about: "say", message: "say: too long" }]);
  });

  test("a pong is no message", () => {
    socket.receives(pongText);
    expect(codes()).toEqual([]);
  });
});

test("without a listener for errors they are warnings", () => {
  const warn = vi.spyOn(console, "warn").mockReturnValue();
  open();
  socket.receives("?");
  expect(warn).toHaveBeenCalledWith("edgewire: bad-frame: not JSON [EW501]");
});

test("the codec is the connection's: after a reconnection it may be another", () => {
  const client = open();
  socket.protocol = "edgewire.msgpack.1";
  client.send("say", "packed");
  socket.readyState = 0;
  client.send("say", "for any server");
  socket.readyState = 1;
  socket.protocol = "";
  client.send("leave");
  expect(socket.sent.map((data) => typeof data)).toEqual(["object", "string", "string"]);
  expect(socket.frames).toEqual([
    { type: "message", name: "say", payload: "packed" },
    { type: "message", name: "say", payload: "for any server" },
    { type: "message", name: "leave" },
  ]);
  expect(socket.binaryType).toBe("arraybuffer");
});

test("names that there are not are TypeErrors", async () => {
  const client = open() as unknown as Record<"send" | "on" | "request", (...args: unknown[]) => unknown>;
  expect(() => client.send("shout")).toThrow(new TypeError('toServer has no "shout": names are say, leave [EW536]'));
  expect(() => client.on("toString", () => {})).toThrow(new TypeError('toClient has no "toString": names are said, slowly [EW536]'));
  await expect(client.request("sub", 1)).rejects.toThrow(new TypeError('requests has no "sub" with "result": names are add [EW536]'));
});

test("checkSent holds what is sent against its schema", async () => {
  const strict = messageClient(defineMessages({ toServer: messages.toServer, requests: messages.requests, checkSent: true }), socket);
  expect(() => strict.send("say", 7 as never)).toThrow(/^not sent: say: .*expected string/);
  await expect(strict.request("add", "1" as never)).rejects.toThrow(/^not sent: add: .*expected number/);
  expect(socket.sent).toEqual([]);
});
