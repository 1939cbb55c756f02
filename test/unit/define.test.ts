import { expect, test } from "vitest";
import { defineHandler } from "../../src/index.ts";
import { maxSnapshot } from "../../src/limits.ts";

test.each<[string, object, string]>([
  ["an unknown option", { maxPayloads: 1 }, 'unknown option "maxPayloads"'],
  ["a hook that is no function", { message: "x" }, 'hook "message" must be a function, not string'],
  ["a number of the wrong type", { maxPayload: "1" }, 'option "maxPayload" must be a number, not "1"'],
  ["a number out of range", { maxPayload: 0 }, 'option "maxPayload" is 0: must be a whole number from 1 to'],
  ["more than workerd takes", { maxPayload: 32 * 1024 * 1024 }, 'option "maxPayload"'],
  ["NaN", { closeTimeout: Number.NaN }, 'option "closeTimeout" is NaN'],
  ["a timer that would fire at once", { closeTimeout: 2 ** 31 }, 'option "closeTimeout"'],
  ["contradicting marks", { highWaterMark: 10, maxBuffered: 5 }, '"highWaterMark" (10) must not exceed "maxBuffered" (5)'],
  ["a subprotocol that is no token", { protocols: ["a b"] }, 'option "protocols" has "a b"'],
  ["a subprotocol twice", { protocols: ["a", "a"] }, "names a subprotocol twice"],
  ["requireProtocol alone", { requireProtocol: true }, '"requireProtocol" needs "protocols"'],
  ["an origin with a path", { origins: ["https://a.example/"] }, 'option "origins" has "https://a.example/"'],
  ["an origin without a scheme", { origins: ["a.example"] }, "must be a scheme and a host"],
  ["a bare wildcard", { origins: ["*"] }, 'option "origins" has "*"'],
  ["origins as a string", { origins: "https://a.example" }, 'option "origins" must be "*", an array'],
  ["a policy of another name", { slowConsumer: "wait" }, 'option "slowConsumer" must be "close" or "drop", not "wait"'],
  ["an empty binding", { binding: "" }, 'option "binding" must be the name of a Durable Object binding'],
  ["a truthy compression", { compression: {} }, 'option "compression" must be true or false, not a object'],
  ["a heartbeat that is on", { heartbeat: true }, 'option "heartbeat" must be { interval, timeout } or false, not true'],
  ["a heartbeat of another name", { heartbeat: { every: 1000 } }, 'option "heartbeat" has no "every"'],
  ["a heartbeat too fast", { heartbeat: { interval: 10 } }, 'option "heartbeat.interval" is 10: must be a whole number from 100'],
  ["a heartbeat in words", { heartbeat: { timeout: "10s" } }, 'option "heartbeat.timeout" must be a number, not "10s"'],
])("%s is refused by name", (_, handler, message) => {
  expect(() => defineHandler(handler)).toThrow(message);
});

test.each([[null], [undefined], ["x"], [1]])("defineHandler(%o) is a TypeError", (handler) => {
  expect(() => defineHandler(handler as never)).toThrow("defineHandler takes an object of hooks and options");
});

test("undefined is a default", () => {
  expect(defineHandler({ maxPayload: undefined as never, message: undefined as never }).settings.maxPayload).toBe(1024 * 1024);
});

test("what a snapshot may take, with the longest close, fits an attachment", () => {
  const closing = JSON.stringify({ closing: { code: 4999, reason: "\u0001".repeat(123), initiator: "network" } });
  expect(maxSnapshot + closing.length + 32).toBeLessThanOrEqual(16_384);
});
