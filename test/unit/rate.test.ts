import { expect, test } from "vitest";
import { Rate } from "../../src/connection/rate.ts";
import { resolveRate } from "../../src/handler/rate-rule.ts";
import type { RateRule } from "../../src/handler/rate-rule.ts";
import { FakeClock } from "./fake.ts";

function make(limit: Partial<RateRule>): { rate: Rate; clock: FakeClock; reads: () => number } {
  const clock = new FakeClock();
  let reads = 0;
  const now = clock.now.bind(clock);
  clock.now = () => (reads++, now());
  return { rate: new Rate(resolveRate("rate", limit)!, clock), clock, reads: () => reads };
}

/** How many messages of that size pass in a row. */
function pass(rate: Rate, bytes = 0): number {
  let passed = 0;
  while (rate.admit(bytes) === undefined) passed++;
  return passed;
}

test.each([1, 5, 15, 16, 17, 100, 20_000])("a full bucket of %i lets just as many through", (messages) => {
  expect(pass(make({ messages, burst: 1 }).rate)).toBe(messages);
  expect(pass(make({ messages: messages / 2, burst: 2 }).rate)).toBe(messages);
});

test("what a second brings is let through, no more, and about the burst after any time: 15 of its 16 parts at the least", () => {
  const { rate, clock } = make({ messages: 100, burst: 3 });
  expect(pass(rate)).toBe(300);
  clock.advance(1000);
  expect(pass(rate)).toBe(100);
  clock.advance(10);
  expect(pass(rate)).toBe(1);
  clock.advance(1e9);
  expect(pass(rate)).toBe(282);
});

test("a burst after a long silence is at most the bucket, wherever its counter stood", () => {
  for (let used = 0; used < 40; used++) {
    const { rate, clock } = make({ messages: 160, burst: 1 });
    for (let index = 0; index < used; index++) rate.admit(0);
    clock.advance(1e6);
    const passed = pass(rate);
    expect(passed).toBeLessThanOrEqual(160);
    expect(passed).toBeGreaterThanOrEqual(150);
  }
});

test("a steady client at the rate is never over it", () => {
  const { rate, clock } = make({ messages: 1000, bytes: 1e6, burst: 0.1 });
  for (let index = 0; index < 10_000; index++) {
    expect(rate.admit(1000)).toBeUndefined();
    clock.advance(1);
  }
});

test("bytes have a bucket of their own", () => {
  const { rate, clock } = make({ messages: 1e6, bytes: 1000, burst: 2 });
  expect(rate.admit(1500)).toBeUndefined();
  expect(rate.admit(501)).toBe("bytes");
  expect(rate.admit(500)).toBeUndefined();
  expect(rate.admit(1)).toBe("bytes");
  clock.advance(1000);
  expect(rate.admit(1000)).toBeUndefined();
});

test("a message kept out for its bytes is not counted as a message", () => {
  const { rate } = make({ messages: 2, bytes: 10, burst: 1 });
  expect(rate.admit(11)).toBe("bytes");
  expect(rate.admit(1)).toBeUndefined();
  expect(rate.admit(1)).toBeUndefined();
  expect(rate.admit(1)).toBe("messages");
});

test("the clock is read a few times a bucket, not for each message", () => {
  const { rate, reads } = make({ messages: 16_000, burst: 1 });
  for (let index = 0; index < 16_000; index++) rate.admit(10);
  expect(reads()).toBeLessThan(20);
});

test("a clock that is set back gives nothing and takes nothing", () => {
  const { rate, clock } = make({ messages: 10, burst: 1 });
  expect(pass(rate)).toBe(10);
  clock.jump(-5000);
  expect(pass(rate)).toBe(0);
  clock.advance(100);
  expect(pass(rate)).toBe(1);
});

test("the handler is told of the first dropped message and then once a second", () => {
  const { rate, clock } = make({});
  expect([rate.drop(5), rate.drop(5)]).toEqual([true, false]);
  clock.advance(999);
  expect(rate.drop(5)).toBe(false);
  clock.advance(1);
  expect(rate.drop(5)).toBe(true);
  expect([rate.droppedMessages, rate.droppedBytes]).toEqual([4, 20]);
  clock.jump(-3_600_000);
  clock.advance(1000);
  expect(rate.drop(5), "an hour of silence, because the clock was set back").toBe(true);
});
