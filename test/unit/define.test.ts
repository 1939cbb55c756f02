import { expect, test } from "vitest";
import { defineHandler } from "../../src/index.ts";
import { maxSnapshot } from "../../src/connection/snapshot.ts";

test.each<[string, object, string]>([
  ["an unknown option", { maxPayloads: 1 }, 'unknown option "maxPayloads"'],
  ["a hook that is no function", { message: "x" }, 'hook "message" must be a function, not string [EW107]'],
  ["a number of the wrong type", { maxPayload: "1" }, 'option "maxPayload" must be a number, not "1" [EW128]'],
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
  [
    "a policy of another name",
    { slowConsumer: "wait" },
    'option "slowConsumer" must be "close" or "drop" or "coalesce", not "wait" [EW139]',
  ],
  ["an empty binding", { binding: "" }, 'option "binding" must be the name of a Durable Object binding'],
  [
    "a jurisdiction that is no name",
    { jurisdiction: "EU" },
    'option "jurisdiction" must be one of Cloudflare\'s names, like "eu", not "EU" [EW124]',
  ],
  ["a hint of the wrong type", { locationHint: 7 }, 'option "locationHint" must be one of Cloudflare\'s names, like "weur", not 7 [EW124]'],
  ["a rate that is true", { rate: true }, 'option "rate" must be false or an object with messages, bytes, burst, over [EW125]'],
  ["a rate of nothing", { rate: { messages: 0 } }, 'option "rate.messages" is 0: must be from 0.001 to'],
  ["a rate of text", { rate: { bytes: "1 MB" } }, 'option "rate.bytes" must be a number, not string [EW128]'],
  ["a rate of NaN", { rate: { burst: Number.NaN } }, 'option "rate.burst" is NaN'],
  ["a rate's misspelt key", { rate: { message: 1 } }, 'option "rate" has the unknown key "message"'],
  ["another policy over the rate", { rate: { over: "wait" } }, 'option "rate.over" must be "close" or "drop" [EW127]'],
  ["a rate that lets no large message through", { rate: { bytes: 1000 } }, 'option "rate" allows 2000 bytes at once'],
  ["a rate that lets no message through", { rate: { messages: 0.1 } }, 'option "rate" allows 0.2 messages at once'],
  ["no connections", { maxConnections: 0 }, 'option "maxConnections" is 0'],
  [
    "rooms larger than the server",
    { maxConnections: 5, maxConnectionsPerRoom: 6 },
    '"maxConnectionsPerRoom" (6) must not exceed "maxConnections" (5)',
  ],
  ["clients larger than the server", { maxConnections: 5, maxConnectionsPerAddress: 6 }, '"maxConnectionsPerAddress" (6) must not exceed'],
  ["a fraction of a topic", { maxTopics: 1.5 }, 'option "maxTopics" is 1.5'],
  ["a longer name than there may be", { maxName: 513 }, 'option "maxName" is 513: must be a whole number from 1 to 512 [EW152]'],
  ["no proxies", { trustProxy: 0 }, 'option "trustProxy" is 0: a number of proxies must be from 1 to 32 [EW144]'],
  ["an empty list of proxies", { trustProxy: [] }, 'option "trustProxy" must be true or false, a number of proxies, or a list'],
  ["a proxy by name", { trustProxy: ["proxy.internal"] }, 'option "trustProxy" has "proxy.internal": must be an IP address or a network'],
  ["a network with bits set beyond its length", { trustProxy: ["10.0.0.1/8"] }, 'option "trustProxy" has "10.0.0.1/8"'],
  ["a truthy proxy", { trustProxy: "yes" }, 'option "trustProxy" must be true or false'],
  ["a truthy compression", { compression: {} }, 'option "compression" must be true or false, not an object [EW153]'],
  ["a heartbeat that is on", { heartbeat: true }, 'option "heartbeat" must be { interval, timeout } or false, not true [EW133]'],
  ["a heartbeat of another name", { heartbeat: { every: 1000 } }, 'option "heartbeat" has no "every"'],
  ["calls that are a list", { calls: [] }, '"calls" must be an object of functions, not an array [EW110]'],
  ["calls that are nothing", { calls: null }, '"calls" must be an object of functions, not null [EW110]'],
  ["a call that is no function", { calls: { vote: "tea" } }, '"calls" has "vote", which must be a function, not "tea" [EW112]'],
  ["a call without a name", { calls: { "": () => {} } }, '"calls" has "": a name must be a well-formed string of 1 to 512 bytes [EW111]'],
  ["a call with a lone surrogate", { calls: { "\ud800": () => {} } }, '"calls" has "\\ud800": a name must be'],
  ["a call with a long name", { calls: { ["x".repeat(513)]: () => {} } }, "(513 characters)"],
  ["a heartbeat too fast", { heartbeat: { interval: 10 } }, 'option "heartbeat.interval" is 10: must be a whole number from 100'],
  ["a heartbeat in words", { heartbeat: { timeout: "10s" } }, 'option "heartbeat.timeout" must be a number, not "10s" [EW128]'],
])("%s is refused by name", (_, handler, message) => {
  expect(() => defineHandler(handler)).toThrow(message);
});

test.each([[null], [undefined], ["x"], [1]])("defineHandler(%o) is a TypeError", (handler) => {
  expect(() => defineHandler(handler as never)).toThrow("defineHandler takes an object with hooks and options");
});

test("without a handler it waits for one, whose types are given", () => {
  const define = defineHandler<{ id: number }>();
  expect(define({ calls: { id: () => 7 } }).calls.id()).toBe(7);
  expect(() => define({ maxPayload: 0 })).toThrow('option "maxPayload" is 0');
  expect(defineHandler({}).calls).toEqual({});
});

test("undefined is a default", () => {
  expect(defineHandler({ maxPayload: undefined as never, message: undefined as never }).settings.maxPayload).toBe(1024 * 1024);
});

test("a smaller server needs no smaller rooms", () => {
  expect(defineHandler({ maxConnections: 5 }).settings.maxConnectionsPerRoom).toBe(32_768);
});

test("what a snapshot may take, with the longest close, fits an attachment", () => {
  const closing = JSON.stringify({ closing: { code: 4999, reason: "\u0001".repeat(123), initiator: "network" } });
  expect(maxSnapshot + closing.length + 80).toBeLessThanOrEqual(16_384);
});
