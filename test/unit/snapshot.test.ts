/** What a connection may have, where it is stored and where it is not. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FakeSocket, open, snapshot } from "./fake.ts";
import { encodedBytes } from "../../src/connection/snapshot.ts";
import type { Connection } from "../../src/connection/connection.ts";
import type { Snapshot } from "../../src/ports.ts";

/** As on a runtime where memory outlives the socket. */
class UnsavedSocket extends FakeSocket {
  constructor() {
    super();
    Object.defineProperty(this, "save", { value: undefined });
  }
}

const both = (start: Partial<Snapshot>): readonly Connection[] =>
  [new FakeSocket(), new UnsavedSocket()].map((socket) => open({ maxTopics: 100_000 }, { socket, start: { id: "id", ...start } }).live);

/** What it came to, without what changes with the state's place. */
function outcomeOf(action: () => void): string {
  try {
    action();
    return "done";
  } catch (error) {
    return (error as Error).message;
  }
}

const letters = fc.constantFrom("a", "é", "😀", "\u0001", '"', "\\", "\u2028");
const topic = fc
  .tuple(fc.array(letters, { minLength: 1, maxLength: 3 }), fc.integer({ min: 1, max: 100 }))
  .map(([some, times]) => some.join("").repeat(times).slice(0, 120).toWellFormed());
const acts = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: topic.map((name) => ({ kind: "subscribe", name }) as const) },
    { weight: 2, arbitrary: fc.nat().map((nth) => ({ kind: "unsubscribe", nth }) as const) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 900 }).map((size) => ({ kind: "present", size }) as const) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 30_000 }).map((size) => ({ kind: "state", size }) as const) },
  ),
  { minLength: 100, maxLength: 300 },
);

test("what fits is the same whether or not it is stored, to the last byte", () => {
  let refused = 0;
  fc.assert(
    fc.property(
      acts,
      fc.oneof(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 500, max: 15_000 })),
      fc.integer({ min: 0, max: 15_200 }),
      (sequence, url, state) => {
        const start = { url: `http://localhost/${"u".repeat(url)}`, state: "s".repeat(state) };
        const [saved, unsaved] = both(start) as [Connection, Connection];
        for (const act of sequence) {
          const outcomes = [saved, unsaved].map((live) =>
            outcomeOf(() => {
              if (act.kind === "subscribe") live.subscribe(act.name);
              else if (act.kind === "unsubscribe") live.unsubscribe([...live.topics][act.nth % live.topics.size] ?? "none");
              else if (act.kind === "present") live.present("member", "p".repeat(act.size));
              else live.setState("s".repeat(act.size));
            }),
          );
          expect(outcomes[1]).toBe(outcomes[0]);
          expect([...unsaved.topics]).toEqual([...saved.topics]);
          if (outcomes[0] !== "done") refused++;
        }
      },
    ),
    { numRuns: 80, endOnFailure: true },
  );
  expect(refused).toBeGreaterThan(200);
});

test("where nothing is stored, subscribing does not look at the state, whatever its size", () => {
  let looks = 0;
  const state = {
    get large() {
      looks++;
      return "x".repeat(2000);
    },
  };
  const { live } = open({}, { socket: new UnsavedSocket(), start: { url: `http://localhost/${"u".repeat(8000)}` } });
  live.setState(state);
  const before = looks;
  for (let index = 0; index < 100; index++) live.subscribe(`topic ${index}`);
  for (let index = 0; index < 100; index++) live.unsubscribe(`topic ${index}`);
  live.present("ada", { name: "Ada" });
  live.renew(Date.now() + 1000);
  live.absent();
  expect(looks).toBe(before);
});

test("a topic takes what it takes in the stored list", () => {
  fc.assert(
    fc.property(fc.uniqueArray(topic, { minLength: 1, maxLength: 20 }), (topics) => {
      const all = topics.reduce((sum, one) => sum + encodedBytes(one), 0);
      expect(all).toBe(new TextEncoder().encode(JSON.stringify(topics)).length - 1);
      expect(snapshot({ topics }).topics).toEqual(topics);
    }),
  );
});
