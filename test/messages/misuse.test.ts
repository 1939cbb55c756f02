/** What is wrong with a definition or a handler is an error that names the field, where it is written. */
import { expect, test, vi } from "vitest";
import * as v from "valibot";
import { z } from "zod";
import { defineHandler } from "edgewire";
import { memory } from "edgewire/memory";
import { defineMessages, json, messageHandler } from "edgewire/messages";
import type { MessageError } from "edgewire/messages";
import { msgpack } from "edgewire/msgpack";

test.each<[unknown, string]>([
  [{ toServer: { say: "string" } }, "defineMessages: toServer.say must be a Standard Schema (zod, valibot, arktype, …), version 1 [EW534]"],
  [{ toClient: { said: { "~standard": { version: 2 } } } }, "defineMessages: toClient.said must be a Standard Schema"],
  [{ requests: { find: { payload: z.string() } } }, "defineMessages: requests.find.result must be a Standard Schema"],
  [{ requests: { find: null } }, "defineMessages: requests.find.payload must be a Standard Schema"],
  [
    { requests: { find: { payload: z.string(), result: z.string(), item: z.string() } } },
    "defineMessages: requests.find has both result and item: use result for one answer, item for a stream [EW535]",
  ],
  [{ requests: { ask: { payload: z.string(), item: "string" } } }, "defineMessages: requests.ask.item must be a Standard Schema"],
  [{ toClient: { confirm: { payload: z.string() } } }, "defineMessages: toClient.confirm.result must be a Standard Schema"],
  [
    { toClient: { confirm: { payload: z.string(), item: z.string() } } },
    "defineMessages: toClient.confirm.result must be a Standard Schema",
  ],
  [{ toClient: { confirm: null } }, "defineMessages: toClient.confirm must be a Standard Schema"],
  [{ codecs: [] }, "defineMessages: codecs is empty: leave it out for JSON [EW531]"],
  [{ toServers: {} }, 'defineMessages: unknown field "toServers": use toServer, toClient, requests, presence, codecs, checkSent [EW529]'],
])("defineMessages(%o)", (definition, message) => {
  expect(() => defineMessages(definition as object)).toThrow(message);
});

test("a codec's name that is no subprotocol is refused by defineHandler", () => {
  const messages = defineMessages({ codecs: [{ ...json, protocol: "my codec" }] });
  expect(() => defineHandler(messageHandler(messages, {}))).toThrow('option "protocols" has "my codec"');
});

const messages = defineMessages({
  toServer: { say: z.string() },
  toClient: { said: z.string() },
  requests: { find: { payload: z.string(), result: z.number() } },
});
const hooks = { messages: { say() {} }, requests: { find: () => 1 } };

test.each<[unknown, string]>([
  [{}, "messageHandler: hook messages.say is missing [EW547]"],
  [{ ...hooks, requests: {} }, "messageHandler: hook requests.find is missing [EW547]"],
  [{ ...hooks, messages: { say: "hello" } }, "messageHandler: hook messages.say is missing [EW547]"],
  [{ ...hooks, messages: { say() {}, shout() {} } }, 'messageHandler: messages has no "shout": names are say [EW548]'],
  [{ ...hooks, maxRequests: 0 }, 'option "maxRequests" is 0: use 1 or more [EW543]'],
  [{ ...hooks, message() {} }, "messageHandler makes message and protocols itself [EW542]"],
  [{ ...hooks, protocols: ["v1"] }, "messageHandler makes message and protocols itself [EW542]"],
])("messageHandler(messages, %o)", (given, message) => {
  expect(() => messageHandler(messages, given as typeof hooks)).toThrow(message);
});

test("a message that there is not", () => {
  const send = vi.fn();
  const connection = { id: "1", protocol: "", send, publish: send };
  expect(() => messages.send(connection, "say" as "said", "x")).toThrow('toClient has no "say": names are said [EW536]');
  expect(() => messages.publish(connection, "all", "constructor" as "said", "x")).toThrow('toClient has no "constructor"');
  expect(send).not.toHaveBeenCalled();
});

test("a request to the client is not a message", () => {
  const asking = defineMessages({ toClient: { said: z.string(), confirm: { payload: z.string(), result: z.boolean() } } });
  expect(() => asking.encode("confirm" as "said", "x")).toThrow('toClient has no "confirm": names are said [EW536]');
});

test("checkSent names the field of what would not be taken, and can't wait", () => {
  const strict = defineMessages({
    toClient: {
      said: z.object({ text: z.string() }),
      later: v.pipeAsync(
        v.string(),
        v.checkAsync(async () => true),
      ),
    },
    checkSent: true,
  });
  expect(() => strict.encode("said", { text: 7 } as never)).toThrow(/^not sent: said\.text: /);
  expect(() => strict.encode("later", "x")).toThrow("later: checkSent can't wait for a schema that is asynchronous [EW532]");
  expect(strict.encode("said", { text: "x" })).toBe('{"type":"message","name":"said","payload":{"text":"x"}}');
});

test("one codec is everybody's; of several, JSON is", () => {
  expect(defineMessages({ toClient: { tick: z.undefined() }, codecs: [msgpack] }).encode("tick")).toBeInstanceOf(Uint8Array);
  expect(defineMessages({ toClient: { tick: z.undefined() }, codecs: [msgpack, json] }).encode("tick")).toBe(
    '{"type":"message","name":"tick"}',
  );
});

/** What a client hears, and what the handler is told, in memory. */
async function played(handler: Parameters<typeof defineHandler>[0], ...sent: string[]): Promise<{ heard: unknown[]; closed?: number }> {
  const client = await memory(defineHandler(handler)).connect();
  const heard: unknown[] = [];
  void (async () => {
    for (;;) heard.push(JSON.parse(String(await client.next())));
  })().catch(() => {});
  for (const data of sent) client.send(data);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const { code } = await client.close(1000).then(async () => client.closed);
  return { heard, closed: code };
}

const ask = '{"type":"request","id":1,"name":"find","payload":"x"}';

test("a message hook that fails closes with 1011, as in a raw handler, and goes to the error hook", async () => {
  const errors: unknown[] = [];
  const failing = {
    ...hooks,
    messages: { say: () => Promise.reject(new Error("mine")) },
    error: (error: unknown) => void errors.push(error),
  };
  const { heard, closed } = await played(messageHandler(messages, failing), '{"type":"message","name":"say","payload":"x"}');
  expect([heard, closed, errors]).toEqual([[], 1011, [new Error("mine")]]);
});

test("a result that can't be encoded is the server's failure, and its own alone", async () => {
  const errors: unknown[] = [];
  const failing = { ...hooks, requests: { find: () => 1n as never }, error: (error: unknown) => void errors.push(error) };
  const { heard, closed } = await played(messageHandler(messages, failing), ask);
  expect(heard).toEqual([{ type: "error", id: 1, name: "find", code: "internal", message: "Internal error [EW519]" }]);
  expect([closed, errors]).toEqual([1000, [expect.any(TypeError)]]);
});

test("with checkSent, so is a result that its schema would refuse", async () => {
  const strict = defineMessages({ toServer: messages.toServer, requests: messages.requests, checkSent: true });
  const log = vi.spyOn(console, "error").mockReturnValue();
  const { heard } = await played(messageHandler(strict, { ...hooks, requests: { find: () => "x" as never } }), ask);
  expect(heard).toMatchObject([{ id: 1, code: "internal" }]);
  expect(log.mock.calls.flat().map(String).join(" ")).toContain("not sent: find: ");
  log.mockRestore();
});

test("a cancelled request is not answered, counts until its hook is done, and tells nobody but for a real error", async () => {
  const errors: unknown[] = [];
  const steps: string[] = [];
  const handler = messageHandler(messages, {
    messages: { say() {} },
    requests: {
      async find(_connection, what, { signal }) {
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        steps.push(`${what} ${(signal.reason as MessageError).code}`);
        if (what === "throws") throw new Error("a real error");
        signal.throwIfAborted();
        return 1;
      },
    },
    maxRequests: 2,
    error: (error) => void errors.push(error),
  });
  const { heard } = await played(
    handler,
    '{"type":"request","id":1,"name":"find","payload":"stops"}',
    '{"type":"request","id":2,"name":"find","payload":"throws"}',
    '{"type":"cancel","id":1}',
    '{"type":"cancel","id":2}',
    '{"type":"request","id":3,"name":"find","payload":"too many"}',
  );
  expect(heard).toMatchObject([{ id: 3, code: "too-many-requests" }]);
  expect(steps).toEqual(["stops cancelled", "throws cancelled"]);
  expect(errors).toEqual([new Error("a real error")]);
});

test("the end of a connection cancels what it asked for", async () => {
  const reason = Promise.withResolvers<unknown>();
  const handler = messageHandler(messages, {
    ...hooks,
    requests: {
      find: (_connection, _what, { signal }) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener("abort", () => (reason.resolve(signal.reason), reject(signal.reason as Error))),
        ),
    },
  });
  await played(handler, ask);
  expect(await reason.promise).toMatchObject({ code: "cancelled" });
});

test("what an asynchronous schema let through after a close runs no hook", async () => {
  const said = vi.fn();
  const slow = defineMessages({
    toServer: {
      say: v.pipeAsync(
        v.string(),
        v.checkAsync(() => new Promise((resolve) => setTimeout(resolve, 5, true))),
      ),
    },
  });
  const client = await memory(defineHandler(messageHandler(slow, { messages: { say: said } }))).connect();
  client.send('{"type":"message","name":"say","payload":"x"}');
  await client.close();
  expect(said).not.toHaveBeenCalled();
});
