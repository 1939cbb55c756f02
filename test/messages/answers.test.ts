/** The client's answers to what a server asks, against a socket whose server is the test. */
import { beforeEach, expect, test, vi } from "vitest";
import * as v from "valibot";
import { z } from "zod";
import { MessageError, defineMessages, messageClient } from "../../src/messages/index.ts";
import type { AnswerContext } from "../../src/messages/index.ts";
import { FakeSocket } from "./fake-socket.ts";

const messages = defineMessages({
  toClient: {
    said: z.string(),
    confirm: { payload: z.string(), result: z.boolean() },
    slowly: {
      payload: v.pipeAsync(
        v.string(),
        v.checkAsync(() => new Promise((resolve) => setTimeout(() => resolve(true), 5))),
      ),
      result: z.undefined(),
    },
  },
});

let socket: FakeSocket;
beforeEach(() => {
  socket = new FakeSocket();
});
const open = () => messageClient(messages, socket);
const frame = (value: object): void => socket.receives(JSON.stringify(value));
const ask = (id: number, payload: unknown = "tea", name = "confirm"): void => frame({ type: "request", id, name, payload });
const quiet = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** Errors that are thrown to the runtime meanwhile. */
async function thrownBy(run: () => unknown): Promise<unknown[]> {
  const thrown: unknown[] = [];
  const before = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException").on("uncaughtException", (error) => thrown.push(error));
  await run();
  await new Promise((resolve) => setTimeout(resolve));
  process.removeAllListeners("uncaughtException");
  for (const listener of before) process.on("uncaughtException", listener);
  return thrown;
}

test("what the handler returns, or resolves to", async () => {
  const client = open();
  client.answer("confirm", (what) => (what === "tea" ? true : Promise.resolve(false)));
  ask(7);
  ask(8, "coffee");
  await quiet();
  expect(socket.frames).toEqual([
    { type: "result", id: 7, payload: true },
    { type: "result", id: 8, payload: false },
  ]);
});

test("nobody who answers, a name that there is not, a payload that its schema refuses", async () => {
  const client = open();
  for (const name of ["confirm", "other", "said", "toString"]) ask(1, "tea", name);
  client.answer("confirm", () => true);
  ask(2, 7);
  await quiet();
  expect(socket.frames).toMatchObject([
    { type: "error", id: 1, name: "confirm", code: "unknown-name", message: 'nobody answers "confirm" [EW520]' },
    { type: "error", id: 1, name: "other", code: "unknown-name" },
    { type: "error", id: 1, name: "said", code: "unknown-name" },
    { type: "error", id: 1, name: "toString", code: "unknown-name" },
    { type: "error", id: 2, name: "confirm", code: "invalid-payload", issues: [{ path: [] }] },
  ]);
});

test("a MessageError reaches the server as it is; any other error is internal, and thrown as a listener's is", async () => {
  const client = open();
  const faults: unknown[] = [new MessageError("busy", "later"), new Error("mine")];
  client.answer("confirm", () => Promise.reject(faults.shift() as Error));
  const thrown = await thrownBy(() => {
    ask(1);
    ask(2);
  });
  expect(socket.frames).toEqual([
    { type: "error", id: 1, name: "confirm", code: "busy", message: "later" },
    { type: "error", id: 2, name: "confirm", code: "internal", message: "Internal error [EW519]" },
  ]);
  expect(thrown).toEqual([new Error("mine")]);
});

test("a result that can't be encoded is internal too; so is one that checkSent refuses", async () => {
  open().answer("confirm", () => 1n as never);
  const thrown = await thrownBy(() => ask(1));
  socket = new FakeSocket();
  const strict = messageClient(defineMessages({ toClient: messages.toClient, checkSent: true }), socket);
  strict.answer("confirm", () => "yes" as never);
  thrown.push(...(await thrownBy(() => ask(2))));
  expect(socket.frames).toMatchObject([{ type: "error", id: 2, code: "internal" }]);
  expect(thrown).toEqual([expect.any(TypeError), expect.objectContaining({ message: expect.stringContaining("not sent: confirm: ") })]);
});

test("one handler for each name, until it is stopped", async () => {
  const client = open();
  const stop = client.answer("confirm", () => true);
  expect(() => client.answer("confirm", () => false)).toThrow(new Error('"confirm" has a handler [EW518]'));
  stop();
  client.answer("confirm", () => false);
  // Of the handler that is not there any more.
  stop();
  ask(1);
  await quiet();
  expect(socket.frames).toEqual([{ type: "result", id: 1, payload: false }]);
  expect(() => client.answer("said" as "confirm", () => true)).toThrow(
    'toClient has no "said" with "result": names are confirm, slowly [EW536]',
  );
  expect(() => client.on("confirm" as "said", () => {})).toThrow('toClient has no "confirm": names are said [EW536]');
});

test("handlers begin in the order of the requests and messages, also behind an asynchronous schema, and don't wait for each other", async () => {
  const client = open();
  const heard: string[] = [];
  client.on("said", (text) => heard.push(text));
  client.answer("slowly", (text) => {
    heard.push(text);
    return new Promise(() => {});
  });
  client.answer("confirm", (text) => {
    heard.push(text);
    return true;
  });
  ask(1, "slow", "slowly");
  ask(2, "quick");
  frame({ type: "message", name: "said", payload: "said" });
  await vi.waitFor(() => expect(socket.frames).toEqual([{ type: "result", id: 2, payload: true }]));
  expect(heard).toEqual(["slow", "quick", "said"]);
});

test.each(["cancel", "close", "disconnect"])("%s aborts the signal, and nothing is answered", async (how) => {
  const client = open();
  const contexts: AnswerContext[] = [];
  const answer = Promise.withResolvers<boolean>();
  client.answer("confirm", async (what, context) => {
    contexts.push(context);
    await answer.promise;
    if (what === "throws") context.signal.throwIfAborted();
    return true;
  });
  ask(1);
  ask(2, "throws");
  if (how === "cancel") for (const id of [1, 2, 3, 2]) frame({ type: "cancel", id });
  else socket.says(how);
  expect(contexts.map(({ signal }) => signal.aborted)).toEqual([true, true]);
  const thrown = await thrownBy(() => answer.resolve(true));
  // The next connection's server may use the same id.
  ask(1);
  await quiet();
  expect(socket.frames).toEqual([{ type: "result", id: 1, payload: true }]);
  expect(thrown).toEqual([]);
});

test("a socket that throws for the answer throws nothing else", async () => {
  open().answer("confirm", () => true);
  socket.send = () => {
    throw new Error("closing");
  };
  const thrown = await thrownBy(() => ask(1));
  expect(thrown).toEqual([new Error("closing")]);
});
