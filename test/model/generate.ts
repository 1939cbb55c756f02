/** Random sequences of actions; what their scripts and messages are made of is in scripts.ts. */
import * as fc from "fast-check";
import type { Abilities } from "./abilities.ts";
import type { Script, Value } from "../support/script.ts";
import { closeScripts, lastScripts, scripts, terminating, topic, values, whileLost, word } from "./scripts.ts";
import { rooms, type Action, type Kind, type Sequence } from "./sequence.ts";

/** Whether a sequence keeps to what the column can do: no topics, rooms or peers on a plain Worker (P2, P11), for one. */
export function fits(sequence: Sequence, can: Abilities): boolean {
  const roomy = /"(subscribe|unsubscribe|publish|peers|broadcast|count|burst)"/.test(JSON.stringify(sequence));
  return can.rooms || !roomy;
}

export function sequences(can: Abilities): fc.Arbitrary<Sequence> {
  return fc.oneof({ weight: 3, arbitrary: sequenceOn("main", can) }, { weight: 1, arbitrary: sequenceOn("tight", can) });
}

function sequenceOn(on: Sequence["on"], can: Abilities): fc.Arbitrary<Sequence> {
  const { connect, action } = actions(on, can);
  return fc
    .tuple(fc.array(connect, { minLength: 1, maxLength: 4, size: "max" }), fc.array(action, { maxLength: 14, size: "max" }))
    .map(([first, then]) => ({ on, actions: [...first, ...then] }));
}

const who = fc.nat({ max: 11 });

function actions(on: Sequence["on"], can: Abilities): { connect: fc.Arbitrary<Action>; action: fc.Arbitrary<Action> } {
  const room = fc.constantFrom("a" as const, "a" as const, "a" as const, ...rooms);
  const short = scripts(can, { long: false, ends: true });
  const opening = fc.oneof(
    { weight: can.rooms ? 5 : 0, arbitrary: topic.map((name): Script => [["subscribe", name]]) },
    { weight: 5, arbitrary: scripts(can, { long: false, ends: false }) },
    { weight: 1, arbitrary: short },
  );
  const common = {
    do: fc.constant("connect" as const),
    room,
    // "tight" gives `upgrade` no more than 300 ms: no timed case here.
    late: on === "main" ? fc.boolean() : fc.constant(false),
    state: fc.option(fc.nat({ max: 9 })),
    open: opening,
    close: closeScripts(can),
  };
  const runs = fc.record({ ...common, kind: fc.constant("run" as const), first: fc.array(short, { maxLength: 2 }) });
  const echoes = fc
    .constantFrom<Kind>("echo", "slow")
    .chain((kind) =>
      fc.record({ ...common, kind: fc.constant(kind), first: fc.constantFrom<readonly Value[]>([], ["first"], ["first", { bytes: [1] }]) }),
    );
  const connect: fc.Arbitrary<Action> = fc.oneof({ weight: 3, arbitrary: runs }, { weight: 2, arbitrary: echoes });

  const telling = scripts(can, { long: on === "main", ends: true });
  const batch = fc.array(telling, { minLength: 1, maxLength: 3, size: "max" });
  const cut = fc.tuple(terminating, fc.array(telling, { maxLength: 1 })).map(([first, rest]) => [first, ...rest]);
  const closing = fc.constantFrom<{ code?: number; reason?: string }>(
    {},
    { code: 1000 },
    { code: 1001, reason: "away" },
    { code: 3000 },
    { code: 4001, reason: "é€😀" },
    { code: 4999, reason: "x".repeat(123) },
  );
  const evict = fc.option(fc.constant(true as const), { nil: undefined, freq: 3 });
  const choices: fc.WeightedArbitrary<Action>[] = [
    { weight: 2, arbitrary: connect },
    { weight: 6, arbitrary: fc.record({ do: fc.constant("tell" as const), who, messages: batch, evict }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant("send" as const), who, to: fc.constant("echo" as const), values: values(on, "echo") }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant("send" as const), who, to: fc.constant("slow" as const), values: values(on, "slow") }),
    },
    {
      weight: 2,
      arbitrary: fc
        .record({ do: fc.constant("leave" as const), who, last: fc.array(lastScripts(can), { maxLength: 2 }), how: closing })
        .map(({ how, ...rest }) => ({ ...rest, ...how })),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("lose" as const), who, during: fc.constantFrom(null, whileLost(can)) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("evict" as const), room }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("tell" as const), who, messages: cut }) },
  ];
  if (can.rooms) {
    const turn = fc.oneof(
      fc.tuple(fc.constantFrom("subscribe" as const, "unsubscribe" as const), topic),
      fc.tuple(fc.constant("publish" as const), topic, word),
    );
    choices.push({ weight: 6, arbitrary: fc.record({ do: fc.constant("tell" as const), who, messages: turn.map((step) => [[step]]) }) });
  }
  if (can.rooms && on === "main") {
    const speakers = fc.array(fc.record({ who, count: fc.integer({ min: 1, max: 5 }), pace: fc.constantFrom(0, 0, 1) }), {
      minLength: 1,
      maxLength: 3,
    });
    const except = fc.option(who, { nil: undefined });
    choices.push(
      { weight: 2, arbitrary: fc.record({ do: fc.constant("burst" as const), speakers, outside: fc.nat({ max: 3 }), topic }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("publish" as const), room, topic, text: word, except }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("broadcast" as const), room, text: word, except }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("count" as const), room }) },
    );
  }
  return { connect, action: fc.oneof(...choices) };
}
