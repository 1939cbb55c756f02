/** `messages.publish` and `broadcast` hand options on to whatever they publish with. */
import { defineHandler } from "edgewire";
import { memory } from "edgewire/memory";
import { defineMessages, messageHandler } from "edgewire/messages";
import { expect, test, vi } from "vitest";
import { z } from "zod";

const messages = defineMessages({ toServer: { move: z.string() }, toClient: { moved: z.string(), left: z.undefined() } });

test("to a connection, a room, and a room from outside", () => {
  const target = { publish: vi.fn(() => 1), broadcast: vi.fn(() => 2) };
  expect(messages.publish(target, ["a", "b"], "moved", "x", { key: "k", except: ["id"] })).toBe(1);
  expect(messages.publish(target, "a", "left", undefined, { key: "k" })).toBe(1);
  expect(messages.broadcast(target, "moved", "x", { except: "id" })).toBe(2);
  expect(target.publish.mock.calls).toEqual([
    [["a", "b"], messages.encode("moved", "x"), { key: "k", except: ["id"] }],
    ["a", messages.encode("left"), { key: "k" }],
  ]);
  expect(target.broadcast.mock.calls).toEqual([[messages.encode("moved", "x"), { except: "id" }]]);
});

test("a wrong key fails the hook, by name", async () => {
  const errors: string[] = [];
  const handler = messageHandler(messages, {
    messages: { move: (connection, key) => messages.publish(connection, "a", "moved", "x", { key }) },
    error: (error) => void errors.push(String(error)),
  });
  const client = await memory(defineHandler(handler)).connect();
  client.send('{"type":"message","name":"move","payload":""}');
  expect((await client.closed).code).toBe(1011);
  expect(errors).toEqual(["TypeError: key is empty: must be a well-formed string of 1 to 512 bytes [EW244]"]);
});
