/** Random scripts and messages, of which each has one outcome only: what two runtimes may do in two ways is left out, with the reason. */
import * as fc from "fast-check";
import type { Script, Step, Value } from "../support/script.ts";
import type { Abilities } from "./abilities.ts";
import type { Kind, Sequence } from "./sequence.ts";

/** Mostly the same topic and the same room, so that clients have to do with each other. */
export const topic: fc.Arbitrary<string> = fc.constantFrom("x", "x", "x", "y");
export const word: fc.Arbitrary<string> = fc.constantFrom("hello", "", "é€😀", "\u0000", "\ufeffmark");
const reason = fc.constantFrom("", "bye", "é€😀", "x".repeat(123));

/** Small: a runtime that can say so answers `send` with "backpressure" from 64 KiB on, and workerd never does (types.ts, SendResult). */
const value: fc.Arbitrary<Value> = fc.oneof(
  { weight: 3, arbitrary: word },
  fc.array(fc.nat({ max: 255 }), { maxLength: 4 }).map((bytes) => ({ bytes })),
  fc.constantFrom(0, 1, 125, 126, 127, 2000).map((size) => ({ fill: 7, size })),
  fc.constantFrom<Value>({ letter: "é", times: 300 }, { odd: "subarray" }, { odd: "loneSurrogate" }, { odd: "object" }),
);

/** A step that returns at once or throws where it stands, and after which the connection is as open as before. */
function steps(can: Abilities, long: boolean): fc.Arbitrary<Step> {
  const alone: fc.Arbitrary<Step>[] = [
    value.map((data) => ["send", data] as const),
    fc.integer({ min: 2, max: 5 }).map((times) => ["repeat", times, [["send", "again"]]] as const),
    fc
      .oneof(fc.nat({ max: 9 }), fc.constantFrom<unknown>({ user: "ada", tags: ["é", null] }, null))
      .map((state) => ["setState", state] as const),
    fc.constant(["inspect"] as const),
    fc.constantFrom(999, 1005, 1006, 2000, 5000).map((code) => ["close", code] as const),
    fc.constant(["close", 4000, "x".repeat(124)] as const),
  ];
  // Within the snapshot's 15 KiB, beyond it, and over `maxState`: URLs differ in length, so nothing close to 15 KiB.
  if (long) alone.push(fc.constantFrom(8000, 20_000, 70_000).map((size) => ["setState", "s".repeat(size)] as const));
  const together: fc.Arbitrary<Step>[] = [
    topic.map((name) => ["subscribe", name] as const),
    topic.map((name) => ["subscribe", name] as const),
    topic.map((name) => ["unsubscribe", name] as const),
    fc.tuple(topic, value).map(([name, data]) => ["publish", name, data] as const),
    fc.tuple(topic, word).map(([name, data]) => ["publish", name, data] as const),
    fc.constant(["subscribe", ""] as const),
    fc.constant(["peers"] as const),
  ];
  return fc.oneof(...alone, ...(can.rooms ? together : []));
}

const pause: fc.Arbitrary<Step> = fc.integer({ min: 0, max: 3 }).map((time) => ["sleep", time] as const);

/** After a close of our own nothing awaits: how soon the client answers is the network's affair. */
const afterwards: fc.Arbitrary<Step> = fc.constantFrom<Step>(
  ["send", "late"],
  ["close", 4002, "second"],
  ["inspect"],
  ["throw", "afterwards"],
);

const ending: fc.Arbitrary<Script> = fc.oneof(
  fc.constantFrom("throw", "reject").map((how) => [[how, "boom"] as const]),
  fc
    .tuple(fc.constantFrom(1000, 1001, 1008, 1011, 1014, 3000, 4000, 4999), reason, fc.array(afterwards, { maxLength: 2 }))
    .map(([code, text, rest]) => [["close", code, text] as const, ...rest]),
);

export function scripts(can: Abilities, { long, ends }: { long: boolean; ends: boolean }): fc.Arbitrary<Script> {
  const body = fc.array(fc.oneof({ weight: 4, arbitrary: steps(can, long) }, { weight: 1, arbitrary: pause }), {
    maxLength: 4,
    size: "max",
  });
  const end = ends ? fc.option(ending, { nil: [], freq: 4 }) : fc.constant([]);
  // Within the URL where it is the script of `open`, and within maxPayload where that is 1000.
  return fc
    .tuple(body, end)
    .map(([first, last]) => [...first, ...last])
    .filter((script) => long || JSON.stringify(script).length < 700);
}

/** First of all: what a hook has sent may be lost when it then cuts the connection. */
export const terminating: fc.Arbitrary<Script> = fc
  .array(fc.constantFrom<Step>(["send", "late"], ["close", 4002], ["inspect"], ["terminate"]), { maxLength: 2 })
  .map((rest) => [["terminate"] as const, ...rest]);

/** The close hook's: no runtime agrees with another on the time between it and the client's end, and nothing here depends on that. */
export function closeScripts(can: Abilities): fc.Arbitrary<Script> {
  const step = fc.constantFrom<Step>(
    ["send", "late"],
    ["close", 4003],
    ["inspect"],
    ["sleep", 1],
    ["throw", "in close"],
    ["reject", "in close"],
  );
  const parting = topic.map((name): Step => ["publish", name, "gone"]);
  return fc.array(can.rooms ? fc.oneof({ weight: 3, arbitrary: step }, { weight: 1, arbitrary: parting }) : step, { maxLength: 2 });
}

/** What a leaving client's handler may still do: not `send` or `inspect`, which depend on whether the close has been read yet. */
export function lastScripts(can: Abilities): fc.Arbitrary<Script> {
  const step: fc.Arbitrary<Step>[] = [pause, fc.nat({ max: 9 }).map((state) => ["setState", state] as const)];
  if (can.rooms) step.push(fc.tuple(topic, word).map(([name, text]) => ["publish", name, text] as const));
  return fc.array(fc.oneof(...step), { maxLength: 3 });
}

/** What a handler does while its client is lost: for so long that it is lost before the end. */
export function whileLost(can: Abilities): Script {
  return can.rooms
    ? [
        ["sleep", 20],
        ["publish", "x", "published late"],
      ]
    : [
        ["sleep", 20],
        ["setState", 1],
      ];
}

export function values(on: Sequence["on"], kind: Kind): fc.Arbitrary<readonly Value[]> {
  const within = fc.oneof(
    word,
    value.filter((one) => typeof one === "string" || !("odd" in one || ("size" in one && one.size > 1000))),
  );
  const several = fc.array(within, { minLength: 1, maxLength: 3, size: "max" });
  if (on === "main") {
    // Alone: a message over 1 MiB takes long enough to arrive for an asynchronous echo before it to be sent, or not.
    const over = fc.constantFrom<Value>({ fill: 1, size: 1024 * 1024 + 1 }, { letter: "é", times: 512 * 1024 + 1 });
    return fc.oneof({ weight: 9, arbitrary: several }, { weight: 1, arbitrary: over.map((one) => [one]) });
  }
  const edge = fc.constantFrom<Value>(
    { fill: 1, size: 999 },
    { fill: 1, size: 1000 },
    { letter: "é", times: 500 },
    { letter: "😀", times: 250 },
  );
  const over = fc.constantFrom<Value>({ fill: 1, size: 1001 }, { letter: "é", times: 501 }, { letter: "€", times: 334 });
  const small = fc.array(fc.oneof(within, edge), { minLength: 1, maxLength: 3, size: "max" });
  // Over the limit only where no asynchronous hook can be pending: the close does not wait for it.
  return kind === "slow"
    ? small
    : fc.oneof(
        { weight: 3, arbitrary: small },
        { weight: 1, arbitrary: fc.tuple(small, over, small).map(([a, one, b]) => [...a, one, ...b]) },
      );
}
